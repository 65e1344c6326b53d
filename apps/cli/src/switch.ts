import { Command } from 'commander';
import { flagsTopic } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import { loadFlow } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';

interface SwitchOptions {
  readonly flow: string;
  readonly brokers: string;
  readonly off?: string;
}

/** `sluice switch <tier>`: takes a tier out of use, or back into it, while everything runs. */
export function switchCommand(): Command {
  return new Command('switch')
    .description('Switches a tier on, or off with --off WHY; routers obey from their next slice on.')
    .argument('<tier>', 'name of the tier in the flow file')
    .option('--flow <file>', 'flow file', 'infra/flows/mail.yaml')
    .requiredOption('--brokers <list>', 'Kafka bootstrap servers')
    .option('--off <why>', 'switch it off, and say why')
    .action(async (tier: string, options: SwitchOptions) => {
      const { flow } = await loadFlow(options.flow);
      const names = flow.tiers.map(({ name }) => name);
      if (!names.includes(tier))
        throw new SluiceError('SLUICE_CONFIG_INVALID', `flow ${flow.flow} has no tier ${tier}; known: ${names.join(', ')}`);
      const bus = kafkaBus({ brokers: options.brokers.split(','), clientId: 'sluice-switch' });
      try {
        const publisher = await bus.openPublisher();
        const value = options.off === undefined ? null : Buffer.from(options.off);
        await publisher.publish([{ topic: flagsTopic, partition: 0, key: Buffer.from(`${flow.flow}/${tier}`), value }]);
        await publisher.close();
      } finally {
        await bus.close();
      }
      process.stdout.write(`${flow.flow}/${tier} is ${options.off === undefined ? 'on' : `off: ${options.off}`}\n`);
    });
}
