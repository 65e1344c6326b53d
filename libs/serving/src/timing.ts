import { performance } from 'node:perf_hooks';
import type { Executor } from './executor.ts';

/** Batch sizes at which executors are timed; between them the time is taken as linear. */
export const buckets = [1, 8, 32, 128] as const;

/** Time of one batch of `n` rows, in microseconds. */
export interface Timing {
  readonly n: number;
  readonly micros: number;
}

/**
 * Runs after which code is as fast as it gets: the first is compiled without optimization, which for a network on WebAssembly takes
 * up to ten times as long (measured: 9.0 ms for one row of a CNN that then takes 0.7).
 */
const coldRuns = 20;
/** Fewest runs that a timing rests on, whatever they take: one alone may have met a busy neighbour. */
const fewest = 3;

export interface TimingOptions {
  readonly maxBatch: number;
  /** Milliseconds for all buckets together; warming up takes up to as long again. */
  readonly budget: number;
  /** Milliseconds of a steady clock. Default: that of the process. */
  readonly now?: () => number;
}

/**
 * Times an executor, once it is warm, on the buckets up to the batch limit. Buckets whose one run would take thrice their share of the
 * budget are left out: the time there is extrapolated.
 */
export function timeExecutor(
  executor: Executor,
  rows: Float32Array,
  { maxBatch, budget, now = () => performance.now() }: TimingOptions,
): Timing[] {
  const sizes = [...buckets.filter((n) => n < maxBatch), maxBatch];
  const share = budget / sizes.length;
  warmUp(() => executor.run(rows, 1), { budget, now });
  const timings: Timing[] = [];
  for (const n of sizes) {
    const last = timings.at(-1);
    if (last && (last.micros * n) / last.n > 3000 * share) break;
    timings.push(timeInTurn([executor], rows, { sizes: [n], budget: share, now })[0]![0]!);
  }
  return timings;
}

/**
 * Times executors that are warm in turn, run by run, so that a busy neighbour meets all of them alike.
 * @param budget milliseconds for all sizes and executors together.
 * @returns the timings of each executor, at the sizes in their order.
 */
export function timeInTurn(
  executors: readonly Executor[],
  rows: Float32Array,
  { sizes, budget, now = () => performance.now() }: Omit<TimingOptions, 'maxBatch'> & { readonly sizes: readonly number[] },
): Timing[][] {
  const timings: Timing[][] = executors.map(() => []);
  for (const n of sizes) {
    const samples: number[][] = executors.map(() => []);
    const end = now() + budget / sizes.length;
    do executors.forEach((executor, i) => samples[i]!.push(microsOf(() => executor.run(rows, n), now)));
    while (samples[0]!.length < fewest || now() < end);
    samples.forEach((taken, i) => timings[i]!.push({ n, micros: typical(taken) }));
  }
  return timings;
}

/** Runs until the code is warm, or for `budget` milliseconds. */
export function warmUp(run: () => void, { budget, now = () => performance.now() }: Pick<TimingOptions, 'budget' | 'now'>): void {
  const end = now() + budget;
  for (let runs = 0; runs < coldRuns && now() < end; runs++) run();
}

/** Processors that the executor keeps busy with batches of n rows, by the CPU time of the whole process: at least 1. */
export function processorsBusy(executor: Executor, rows: Float32Array, { n, budget }: { n: number; budget: number }): number {
  const [start, before] = [performance.now(), process.cpuUsage()];
  do executor.run(rows, n);
  while (performance.now() - start < budget);
  const { user, system } = process.cpuUsage(before);
  return Math.max(1, (user + system) / ((performance.now() - start) * 1000));
}

/** Time of a batch of n rows in microseconds, linear between and beyond the timings. */
export function timeAt(timings: readonly Timing[], n: number): number {
  const [first, ...rest] = timings;
  if (!first) return Infinity;
  let [low, high] = [{ n: 0, micros: 0 } as Timing, first];
  for (const next of rest) {
    if (n <= high.n) break;
    [low, high] = [high, next];
  }
  // Up to the first timing the time is flat: its fixed part is not known apart.
  if (n <= first.n) return first.micros;
  return Math.max(low.micros, low.micros + ((high.micros - low.micros) * (n - low.n)) / (high.n - low.n));
}

function microsOf(run: () => void, now: () => number): number {
  const start = now();
  run();
  return (now() - start) * 1000;
}

/** The lower quartile of the later half: busy neighbours only ever add. */
function typical(samples: readonly number[]): number {
  const late = samples.slice(samples.length >> 1).sort((a, b) => a - b);
  return late[late.length >> 2]!;
}
