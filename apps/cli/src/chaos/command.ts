import { Command, InvalidArgumentError } from 'commander';
import { cells } from './cells.ts';

export interface ChaosOptions {
  readonly cell: string;
  readonly events: number;
  readonly rate: number;
  readonly seed: number;
  readonly out?: string;
}

/** `sluice chaos`: faults on real brokers, counted by Kafka's own consumer. Brokers and apps are its own. */
export function chaosCommand(run: (options: ChaosOptions) => Promise<void>): Command {
  return new Command('chaos')
    .description('Injects faults into the whole system on brokers of its own and counts what was lost or doubled.')
    .option('--cell <name>', `one of ${cells.map(({ name }) => name).join(', ')}; several by commas; or all`, 'all')
    .option('--events <n>', 'requests per cell', whole, 5_000)
    .option('--rate <n>', 'requests per second', whole, 250)
    .option('--seed <n>', 'order of the stream and choice of victims', whole, 1)
    .option('--out <file>', 'write the results as JSON')
    .action((options: ChaosOptions) => run(options));
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number of at least 1.');
  return value;
}
