import { setTimeout as sleep } from 'node:timers/promises';
import type { Publisher } from '@sluice/streaming';
import { cpuMsOf } from './broker-cpu.ts';
import { startCopier, type Copier, type Told, type Way } from './copier.ts';

const tickMs = 20;
const value = Buffer.alloc(500, 7);

/** Milliseconds that a slice waits for company: under a paced load they settle how many transactions there are. */
export const lingers = { backlog: 1, fast: 1, paced: 1, lingering: 50 } as const;
export type Load = keyof typeof lingers;

/** One run. CPU in milliseconds per transaction, and in microseconds per event: faster transactions are smaller ones under a paced load. */
export interface Figures {
  readonly eventsPerSecond: number;
  readonly transactionsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly client: number;
  readonly broker: number;
  readonly clientPerEvent: number;
  readonly brokerPerEvent: number;
}

export interface Play {
  readonly brokers: string;
  readonly brokerPid: number;
  readonly publisher: Publisher;
  /** Suffix of its topics, which are there: `bench.in-RUN`, `bench.out-RUN` and `bench.dead-RUN`. */
  readonly run: string;
  readonly way: Way;
  readonly load: Load;
  readonly partitions: number;
  /** Most events in a slice. */
  readonly slice: number;
  /** For loads that have an end; a tenth more warms up. */
  readonly events: number;
  /** Events per second, and for how long, for loads that are paced. */
  readonly rate: number;
  readonly seconds: number;
}

/** Puts one load on one copier, in a process of its own. */
export async function play(of: Play): Promise<Figures> {
  if (of.load === 'backlog') await publish(of, of.events + of.events / 10);
  const copier = await startCopier({ ...of, linger: lingers[of.load] });
  try {
    if (of.load === 'backlog') return await clear(of, copier);
    return await (of.load === 'fast' ? race(of, copier) : pace(of, copier));
  } finally {
    await copier.stop();
  }
}

/** All events are there before it starts. */
async function clear(of: Play, copier: Copier): Promise<Figures> {
  const warm = await copied(copier, of.events / 10);
  return measured(of, () => copied(copier, of.events + of.events / 10 - warm.records));
}

/** All events at once, and then as many transactions as it takes. */
async function race(of: Play, copier: Copier): Promise<Figures> {
  await publish(of, of.events / 10);
  await copied(copier, of.events / 10);
  await copier.ask();
  return measured(of, async () => {
    await publish(of, of.events);
    return copied(copier, of.events);
  });
}

async function pace(of: Play, copier: Copier): Promise<Figures> {
  const load = async (ms: number) => {
    const perTick = (of.rate * tickMs) / 1_000;
    const start = performance.now();
    for (let tick = 0; tick * tickMs < ms; tick++) {
      void publish(of, perTick);
      await sleep(Math.max(0, start + (tick + 1) * tickMs - performance.now()));
    }
    return Math.floor(ms / tickMs) * perTick;
  };
  await copied(copier, await load(2_000));
  await copier.ask();
  return measured(of, async () => copied(copier, await load(of.seconds * 1_000)));
}

async function publish({ publisher, run, partitions }: Play, count: number): Promise<void> {
  const atOnce = 6_000;
  for (let from = 0; from < count; from += atOnce) {
    await publisher.publish(
      Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => ({
        ...{ topic: `bench.in-${run}`, partition: (from + i) % partitions, key: Buffer.from(String(from + i)), value },
      })),
    );
  }
}

/** Waits until so many records were copied. */
async function copied(copier: Copier, count: number): Promise<Told> {
  let sum: Told = { records: 0, transactions: 0, commits: [], cpuMs: 0 };
  while (sum.records < count) {
    await sleep(50);
    const told = await copier.ask();
    sum = {
      records: sum.records + told.records,
      transactions: sum.transactions + told.transactions,
      commits: [...sum.commits, ...told.commits],
      cpuMs: sum.cpuMs + told.cpuMs,
    };
  }
  return sum;
}

async function measured({ brokerPid }: Play, run: () => Promise<Told>): Promise<Figures> {
  const [at, cpu] = [performance.now(), cpuMsOf(brokerPid)];
  const { records, transactions, commits, cpuMs } = await run();
  const [elapsed, brokerMs] = [(performance.now() - at) / 1_000, cpuMsOf(brokerPid) - cpu];
  const sorted = [...commits].sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return {
    ...{ eventsPerSecond: records / elapsed, transactionsPerSecond: transactions / elapsed, p50: quantile(0.5), p99: quantile(0.99) },
    ...{ client: cpuMs / transactions, broker: brokerMs / transactions },
    ...{ clientPerEvent: (1_000 * cpuMs) / records, brokerPerEvent: (1_000 * brokerMs) / records },
  };
}
