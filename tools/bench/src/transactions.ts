/**
 * What a transaction costs in version 1 and in version 2 of Kafka's protocol (KIP-890): our pipe copies small slices, as fast as it
 * can and under a paced load; the versions take turns on one broker. Prints tables; asserts nothing. CPU of the broker: Linux only.
 *
 * Run: npm run bench -- transactions [--rounds 5] [--events 6000] [--slice 10] [--rate 500] [--seconds 8] [--loads LIST] [--out FILE]
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBroker } from '@sluice/broker';
import { kafkaBus, type Publisher } from '@sluice/streaming';
import { optionsOf } from './options.ts';
import { cpuMsOf } from './transactions/broker-cpu.ts';
import { startCopier, type Copier, type Told } from './transactions/copier.ts';

const options = optionsOf('transactions', {
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
const partitions = 6;
const tickMs = 20;
const value = Buffer.alloc(500, 7);

type Version = 1 | 2;
/** Milliseconds that a slice waits for company: under a paced load they settle how many transactions there are. */
const lingers = { fast: 1, paced: 1, lingering: 50 } as const;
type Load = keyof typeof lingers;
const loads = options.loads.split(',') as Load[];
const words: Readonly<Record<Load, string>> = {
  fast: `as fast as it can, slices of at most ${slice}`,
  paced: `${rate} events/s, slices that wait ${lingers.paced} ms`,
  lingering: `${rate} events/s, slices that wait ${lingers.lingering} ms`,
};

/** One run. CPU in milliseconds per transaction, and the broker's per event too: faster transactions are smaller ones under a paced load. */
interface Figures {
  readonly eventsPerSecond: number;
  readonly transactionsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly client: number;
  readonly broker: number;
  readonly brokerPerEvent: number;
}

const rows: readonly (readonly [keyof Figures, string, number])[] = [
  ['eventsPerSecond', 'events/s', 0],
  ['transactionsPerSecond', 'transactions/s', 0],
  ['p50', 'transaction p50, ms', 1],
  ['p99', 'transaction p99, ms', 1],
  ['client', 'client CPU per transaction, ms', 2],
  ['broker', 'broker CPU per transaction, ms', 2],
  ['brokerPerEvent', 'broker CPU per event, ms', 3],
];

const out: string[] = [];
const broker = await openBroker({ choice: 'jvm', onStep: (text) => console.error(text) });
const brokers = broker.brokers!;
const bus = kafkaBus({ brokers: [brokers], clientId: 'bench' });
try {
  await main();
} finally {
  await bus.close();
  await broker.close();
}

async function main(): Promise<void> {
  const { model } = cpus()[0]!;
  say(
    `${cpus().length} x ${model}, load ${loadavg()[0]!.toFixed(1)} at start, Node ${process.versions.node}, Kafka ${broker.version} on the same machine`,
  );
  say(`${partitions} partitions, events of ${value.length} bytes; medians of ${rounds} interleaved runs (lowest - highest)`);
  const found = new Map<string, Figures[]>();
  for (let round = 0; round < rounds; round++) {
    const order: readonly Version[] = round % 2 === 0 ? [1, 2] : [2, 1];
    for (const load of loads) {
      for (const version of order) {
        const figures = await play(load, version, `${load}-${version}-${round}`);
        found.set(`${load} ${version}`, [...(found.get(`${load} ${version}`) ?? []), figures]);
        console.error(
          `round ${round + 1}, ${load}, version ${version}: ${JSON.stringify(figures, (_, n) => (typeof n === 'number' ? Math.round(n * 100) / 100 : n))}`,
        );
      }
    }
  }
  for (const load of loads) table(words[load], found.get(`${load} 1`)!, found.get(`${load} 2`)!);
  if (options.out !== undefined) await writeFile(options.out, out.join('\n') + '\n');
}

async function play(load: Load, version: Version, run: string): Promise<Figures> {
  const topics = ['in', 'out', 'dead'].map((name) => ({ name: `bench.${name}-${run}`, partitions: name === 'dead' ? 1 : partitions }));
  await bus.ensureTopics(topics);
  const publisher = await bus.openPublisher();
  const copier = await startCopier({ brokers, run, version, slice, linger: lingers[load] });
  try {
    return await (load === 'fast' ? race : pace)({ copier, publisher, topic: `bench.in-${run}` });
  } finally {
    await copier.stop();
    await publisher.close();
  }
}

interface Running {
  readonly copier: Copier;
  readonly publisher: Publisher;
  readonly topic: string;
}

/** All events at once, and then as many transactions as it takes; the first tenth warms up. */
async function race({ copier, publisher, topic }: Running): Promise<Figures> {
  await publish({ publisher, topic }, events / 10);
  await copied(copier, events / 10);
  return measured(copier, async () => {
    await publish({ publisher, topic }, events);
    return copied(copier, events);
  });
}

async function pace({ copier, publisher, topic }: Running): Promise<Figures> {
  const load = async (ms: number) => {
    const perTick = (rate * tickMs) / 1_000;
    const start = performance.now();
    for (let tick = 0; tick * tickMs < ms; tick++) {
      void publish({ publisher, topic }, perTick);
      await sleep(Math.max(0, start + (tick + 1) * tickMs - performance.now()));
    }
    return Math.floor(ms / tickMs) * perTick;
  };
  await copied(copier, await load(2_000));
  return measured(copier, async () => copied(copier, await load(seconds * 1_000)));
}

async function publish({ publisher, topic }: Pick<Running, 'publisher' | 'topic'>, count: number): Promise<void> {
  await publisher.publish(
    Array.from({ length: count }, (_, i) => ({ topic, partition: i % partitions, key: Buffer.from(String(i)), value })),
  );
}

/** Waits until so many records were copied. */
async function copied(copier: Copier, count: number): Promise<Told> {
  let sum: Told = { records: 0, commits: [], cpuMs: 0 };
  while (sum.records < count) {
    await sleep(50);
    const told = await copier.ask();
    sum = { records: sum.records + told.records, commits: [...sum.commits, ...told.commits], cpuMs: sum.cpuMs + told.cpuMs };
  }
  return sum;
}

async function measured(copier: Copier, run: () => Promise<Told>): Promise<Figures> {
  await copier.ask();
  const [at, cpu] = [performance.now(), cpuMsOf(broker.pid!)];
  const { records, commits, cpuMs } = await run();
  const [elapsed, brokerMs] = [(performance.now() - at) / 1_000, cpuMsOf(broker.pid!) - cpu];
  const sorted = [...commits].sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return {
    ...{ eventsPerSecond: records / elapsed, transactionsPerSecond: commits.length / elapsed, p50: quantile(0.5), p99: quantile(0.99) },
    ...{ client: cpuMs / commits.length, broker: brokerMs / commits.length, brokerPerEvent: brokerMs / records },
  };
}

function table(title: string, older: readonly Figures[], newer: readonly Figures[]): void {
  say('', `Load: ${title}`, '', '| | version 1 | version 2 | ratio |', '| --- | --- | --- | --- |');
  for (const [name, words, digits] of rows) {
    const cell = (of: readonly Figures[]) => {
      const all = of.map((one) => one[name]);
      return `${median(all).toFixed(digits)} (${Math.min(...all).toFixed(digits)} - ${Math.max(...all).toFixed(digits)})`;
    };
    // Of each round by itself: neighbours in time share what else the machine does.
    const ratio = median(newer.map((one, i) => one[name] / older[i]![name]));
    say(`| ${words} | ${cell(older)} | ${cell(newer)} | ${ratio.toFixed(2)} |`);
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

function say(...lines: string[]): void {
  for (const line of lines) console.log(line);
  out.push(...lines);
}
