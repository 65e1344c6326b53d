import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseRate } from './pace.ts';

/** Options of `npm start`. */
export interface DemoOptions {
  readonly flow: 'mail' | 'images';
  readonly events?: number;
  readonly report?: string;
  readonly data?: string;
  readonly brokers?: string;
  readonly broker?: 'jvm' | 'container' | 'memory';
  readonly rate: number;
  readonly partitions: number;
  readonly seed: number;
  readonly targetLoss?: number;
  readonly drift: 'none' | 'regression' | 'blocks';
  readonly staticThreshold: boolean;
  readonly poison: number;
  readonly keep: boolean;
}

/** The `demo` command: what `npm start` runs. */
export function demoCommand(run: (options: DemoOptions) => Promise<void>): Command {
  return new Command('demo')
    .description('Starts a broker and the whole system, streams real events through it and shows what happens. Ctrl-C drains and ends.')
    .addOption(new Option('--flow <name>', 'flow to run').choices(['mail', 'images']).default('mail'))
    .addOption(new Option('--events <n>', 'end by itself after this many events; left out: run until Ctrl-C').argParser(wholeNumber(1)))
    .option('--report <file>', 'write a JSON report (docs/reference/report.schema.json); needs --events')
    .option('--data <dir>', 'folder in IDX layout for the flow images, such as Fashion-MNIST')
    .option('--brokers <list>', 'use a Kafka that already runs (or KAFKA_BROKERS)')
    .addOption(
      new Option('--broker <rung>', 'take this rung of the broker ladder instead of the first that works').choices([
        'jvm',
        'container',
        'memory',
      ]),
    )
    .addOption(new Option('--rate <n|max>', 'events per second').argParser(rate).default(500))
    .addOption(
      new Option('--partitions <n>', 'partitions of every topic; each costs transactions, so by default half as many as there are cores')
        .argParser(wholeNumber(1))
        .default(Math.max(1, availableParallelism() >> 1)),
    )
    .addOption(new Option('--seed <n>', 'order of the stream, delays of outcomes, drills').argParser(wholeNumber(0)).default(1))
    .addOption(
      new Option(
        '--target-loss <share>',
        'largest share of events the heavy tier would have got right and the served answer got wrong (default: the flow file, 0.01)',
      ).argParser(share),
    )
    .addOption(
      new Option(
        '--drift <kind>',
        "regression: from mid-stream a quarter of the fast tier's answers are silently wrong; blocks: the stream comes sorted by label",
      )
        .choices(['none', 'regression', 'blocks'])
        .default('none'),
    )
    .option('--static-threshold', 'learn on the first events, then freeze: for comparison', false)
    .addOption(new Option('--poison <n>', 'mix this many malformed records in').argParser(wholeNumber(0)).default(0))
    .option('--keep', 'leave the run folder with logs and data in place', false)
    .action((options: DemoOptions) => run(options));
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || text.trim() === '')
      throw new InvalidArgumentError(`must be a whole number of at least ${least}.`);
    return value;
  };
}

function rate(text: string): number {
  const value = parseRate(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('must be a positive number, or max.');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('must lie between 0 and 1.');
  return value;
}
