import { topicsOf } from '@sluice/contracts';
import type { Bus } from '@sluice/streaming';
import type { Contest } from './contest.ts';
import type { Job } from './job.ts';

/** Milliseconds between two sendings: every event of a tick was due somewhere in it, and its latency counts from then. */
const tickMs = 5;
/** Events at the start that warm up and do not count. */
const warmUpMs = 3_000;

export interface HopSpec {
  readonly bus: Bus;
  readonly contest: Contest;
  readonly job: Job;
  readonly values: readonly Buffer[];
  readonly perSecond: number;
  readonly seconds: number;
}

/** Latency in milliseconds, and how many events never came. */
export interface HopFigures {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly missing: number;
}

/**
 * Latency of one hop (producer, contestant, read-committed consumer) under a load that does not wait for it: event i is due
 * at start + i / rate, and its latency counts from then, however late the producer itself is. So a stall delays all that was
 * due in it, and nothing is left out (no coordinated omission).
 */
export async function measureHop({ bus, contest, job, values, perSecond, seconds }: HopSpec): Promise<HopFigures> {
  const running = await contest.start(job);
  const schedule = new Schedule(perSecond, Math.round((perSecond * (warmUpMs + seconds * 1_000)) / 1_000));
  const reader = await bus.openReader({
    topics: ['fast', 'standard', 'heavy'].map(topicsOf(job.run).model),
    from: 'end',
    onRecords(records) {
      const now = performance.now();
      for (const { key } of records) schedule.arrived(Number(key!.toString('latin1')), now);
    },
  });
  const publisher = await bus.openPublisher();
  await send(schedule, (i) => ({
    topic: job.input,
    partition: i % 6,
    key: Buffer.from(String(i), 'latin1'),
    value: values[i % values.length]!,
    timestamp: Date.now(),
  }));
  for (let waited = 0; schedule.missing > 0 && waited < 10_000; waited += 20) await pause(20);
  await reader.close();
  await publisher.close();
  await running.stop();
  return schedule.figures(Math.round((perSecond * warmUpMs) / 1_000));

  async function send({ total }: Schedule, recordOf: (i: number) => Parameters<typeof publisher.publish>[0][number]): Promise<void> {
    const pending: Promise<void>[] = [];
    for (let sent = 0; sent < total; await pause(tickMs)) {
      const until = schedule.dueBy(performance.now());
      if (until === sent) continue;
      const from = sent;
      sent = until;
      pending.push(publisher.publish(Array.from({ length: until - from }, (_, at) => recordOf(from + at))));
    }
    await Promise.all(pending);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** When each event is due, and how long after that it arrived. */
class Schedule {
  readonly total: number;
  readonly #perSecond: number;
  readonly #start = performance.now() + 100;
  readonly #latencies: Float64Array;
  #arrived = 0;

  constructor(perSecond: number, total: number) {
    this.total = total;
    this.#perSecond = perSecond;
    this.#latencies = new Float64Array(total).fill(NaN);
  }

  get missing(): number {
    return this.total - this.#arrived;
  }

  /** How many events are due at `now`. */
  dueBy(now: number): number {
    return Math.max(0, Math.min(this.total, Math.floor(((now - this.#start) / 1_000) * this.#perSecond) + 1));
  }

  arrived(i: number, now: number): void {
    if (Number.isNaN(this.#latencies[i])) this.#arrived++;
    this.#latencies[i] = now - (this.#start + (i / this.#perSecond) * 1_000);
  }

  /** Over the events from `first` on. */
  figures(first: number): HopFigures {
    const counted = this.#latencies
      .subarray(first)
      .filter((one) => !Number.isNaN(one))
      .sort();
    const at = (quantile: number): number => counted[Math.min(counted.length - 1, Math.floor(counted.length * quantile))] ?? NaN;
    return { p50: at(0.5), p90: at(0.9), p99: at(0.99), missing: this.missing };
  }
}
