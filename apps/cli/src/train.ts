import { Command, Option } from 'commander';
import { trainTiers } from '@sluice/demo';

/** `sluice train`: makes the demo tiers again from their seed. */
export function trainCommand(): Command {
  return new Command('train')
    .description('Trains the tiers of a demo flow and writes their model folders.')
    .addOption(new Option('--flow <name>', 'flow whose tiers to train').choices(['mail', 'images']).default('mail'))
    .option('--data <dir>', 'folder in IDX layout, for the flow images')
    .option('--out <dir>', 'where the model folders go', 'tools/demo/models')
    .option('--seed <n>', 'seed of initial weights and order', Number, 1)
    .action(async (options: { flow: 'mail' | 'images'; data?: string; out: string; seed: number }) => {
      await trainTiers({ ...options, onProgress: (text) => process.stdout.write(`${text}\n`) });
    });
}
