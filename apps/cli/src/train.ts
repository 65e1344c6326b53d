import { Command, Option } from 'commander';
import { recalibrateTiers, trainTiers } from '@sluice/demo';

interface TrainCommandOptions {
  flow: 'mail' | 'images';
  data?: string;
  out: string;
  seed: number;
  costsOnly?: boolean;
}

/** `sluice train`: makes the demo tiers again from their seed. */
export function trainCommand(): Command {
  return new Command('train')
    .description('Trains the tiers of a demo flow and writes their model folders.')
    .addOption(new Option('--flow <name>', 'flow whose tiers to train').choices(['mail', 'images']).default('mail'))
    .option('--data <dir>', 'folder in IDX layout, for the flow images')
    .option('--out <dir>', 'where the model folders go', 'tools/demo/models')
    .option('--seed <n>', 'seed of initial weights and order', Number, 1)
    .option('--costs-only', 'train nothing: measure what an event costs on each tier again and state it in the manifests')
    .action(async ({ costsOnly, ...options }: TrainCommandOptions) => {
      const onProgress = (text: string) => void process.stdout.write(`${text}\n`);
      if (costsOnly) await recalibrateTiers({ ...options, onProgress });
      else await trainTiers({ ...options, onProgress });
    });
}
