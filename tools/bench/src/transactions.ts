/**
 * What a transaction costs, two ways in turns on one broker: our pipe copies events. `--compare versions`: version 1 and 2 of Kafka's protocol
 * (KIP-890). `--compare producers`: one producer for each partition and one for the process, whose offsets the group's generation fences (KIP-447).
 * Loads: a backlog that is there, events as fast as they can be sent, or a pace. Prints tables; asserts nothing. CPU of the broker: Linux only.
 *
 * Run: npm run bench -- transactions [--compare versions|producers] [--partitions 6,24] [--loads backlog,fast,paced,lingering] [--rounds 5]
 *      [--events 6000] [--slice 10] [--rate 500] [--seconds 8] [--out FILE]
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { openBroker } from '@sluice/broker';
import { kafkaBus } from '@sluice/streaming';
import { optionsOf } from './options.ts';
import { median } from './statistics.ts';
import type { Way } from './transactions/copier.ts';
import { lingers, play, type Figures, type Load } from './transactions/loads.ts';

const options = optionsOf('transactions', {
  compare: { type: 'string', default: 'versions' },
  partitions: { type: 'string', default: '6' },
  rounds: { type: 'string', default: '5' },
  events: { type: 'string', default: '6000' },
  slice: { type: 'string', default: '10' },
  rate: { type: 'string', default: '500' },
  seconds: { type: 'string', default: '8' },
  loads: { type: 'string', default: 'fast,paced,lingering' },
  out: { type: 'string' },
});
const [rounds, events, slice] = [Number(options.rounds), Number(options.events), Number(options.slice)];
const [rate, seconds] = [Number(options.rate), Number(options.seconds)];

type Pair = readonly [Way, Way];
const pairs: Readonly<Record<string, Pair>> = {
  versions: ['version-1', 'version-2'],
  producers: ['version-2', 'one-per-process'],
};
const heads: Readonly<Record<string, readonly [string, string]>> = {
  versions: ['version 1', 'version 2'],
  producers: ['a producer per partition', 'one per process'],
};
const pair = pairs[options.compare];
if (pair === undefined) throw new Error(`--compare ${Object.keys(pairs).join('|')}`);

const loads = options.loads.split(',') as Load[];
const words: Readonly<Record<Load, string>> = {
  backlog: `a backlog of ${events}, slices of at most ${slice}`,
  fast: `as fast as it can, slices of at most ${slice}`,
  paced: `${rate} events/s, slices that wait ${lingers.paced} ms`,
  lingering: `${rate} events/s, slices that wait ${lingers.lingering} ms`,
};

const rows: readonly (readonly [keyof Figures, string, number])[] = [
  ['eventsPerSecond', 'events/s', 0],
  ['transactionsPerSecond', 'transactions/s', 0],
  ['p50', 'from slice to end of commit, p50, ms', 1],
  ['p99', 'from slice to end of commit, p99, ms', 1],
  ['client', 'client CPU per transaction, ms', 2],
  ['broker', 'broker CPU per transaction, ms', 2],
  ['clientPerEvent', 'client CPU per event, us', 1],
  ['brokerPerEvent', 'broker CPU per event, us', 1],
];

const out: string[] = [];
const broker = await openBroker({ choice: 'jvm', onStep: (text) => console.error(text) });
const brokers = broker.brokers!;
const bus = kafkaBus({ brokers: [brokers], clientId: 'bench' });
try {
  await main(pair);
} finally {
  await bus.close();
  await broker.close();
}

async function main(ways: Pair): Promise<void> {
  const { model } = cpus()[0]!;
  say(
    `${cpus().length} x ${model}, load ${loadavg()[0]!.toFixed(1)} at start, Node ${process.versions.node}, Kafka ${broker.version} on the same machine`,
  );
  say(`events of 500 bytes; medians of ${rounds} interleaved runs (lowest - highest), and the median of each round's ratio`);
  for (const partitions of options.partitions.split(',').map(Number)) {
    const found = new Map<string, Figures[]>();
    for (let round = 0; round < rounds; round++) {
      for (const load of loads) {
        for (const way of round % 2 === 0 ? ways : [ways[1], ways[0]]) {
          const figures = await run({ load, way, partitions, run: `${partitions}-${load}-${way}-${round}` });
          found.set(`${load} ${way}`, [...(found.get(`${load} ${way}`) ?? []), figures]);
          console.error(
            `${partitions} partitions, round ${round + 1}, ${load}, ${way}: ${JSON.stringify(figures, (_, n) => (typeof n === 'number' ? Math.round(n * 100) / 100 : n))}`,
          );
        }
      }
    }
    for (const load of loads) {
      table(`${partitions} partitions, ${words[load]}`, found.get(`${load} ${ways[0]}`)!, found.get(`${load} ${ways[1]}`)!);
    }
  }
  if (options.out !== undefined) await writeFile(options.out, out.join('\n') + '\n');
}

async function run(of: { load: Load; way: Way; partitions: number; run: string }): Promise<Figures> {
  const topics = ['in', 'out', 'dead'].map((name) => ({
    name: `bench.${name}-${of.run}`,
    partitions: name === 'dead' ? 1 : of.partitions,
  }));
  await bus.ensureTopics(topics);
  const publisher = await bus.openPublisher();
  try {
    return await play({ ...of, brokers, brokerPid: broker.pid!, publisher, ...{ slice, events, rate, seconds } });
  } finally {
    await publisher.close();
  }
}

function table(title: string, first: readonly Figures[], second: readonly Figures[]): void {
  const [left, right] = heads[options.compare]!;
  say('', title, '', `| | ${left} | ${right} | ratio |`, '| --- | --- | --- | --- |');
  for (const [name, words, digits] of rows) {
    const cell = (of: readonly Figures[]) => {
      const all = of.map((one) => one[name]);
      return `${median(all).toFixed(digits)} (${Math.min(...all).toFixed(digits)} - ${Math.max(...all).toFixed(digits)})`;
    };
    // Of each round by itself: neighbours in time share what else the machine does.
    const ratio = median(second.map((one, i) => one[name] / first[i]![name]));
    say(`| ${words} | ${cell(first)} | ${cell(second)} | ${ratio.toFixed(2)} |`);
  }
}

function say(...lines: string[]): void {
  for (const line of lines) console.log(line);
  out.push(...lines);
}
