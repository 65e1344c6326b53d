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
 * Times an executor on the buckets up to the batch limit. Buckets whose one run would take thrice their share of the
 * budget are left out: the time there is extrapolated.
 * @param budget milliseconds for all buckets together, warm-up included.
 */
export function timeExecutor(executor: Executor, rows: Float32Array, options: { maxBatch: number; budget: number }): Timing[] {
  const sizes = [...buckets.filter((n) => n < options.maxBatch), options.maxBatch];
  const share = (options.budget * 1000) / sizes.length;
  const timings: Timing[] = [];
  for (const n of sizes) {
    const last = timings.at(-1);
    if (last && (last.micros * n) / last.n > 3 * share) break;
    timings.push({ n, micros: typicalMicros(() => executor.run(rows, n), share) });
  }
  return timings;
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

/** The lower quartile of the later half of the runs that fit into `share` microseconds: the first runs warm up, and busy neighbours only ever add. */
function typicalMicros(run: () => void, share: number): number {
  const samples: number[] = [];
  const end = performance.now() + share / 1000;
  run();
  do {
    const start = performance.now();
    run();
    samples.push((performance.now() - start) * 1000);
  } while (performance.now() < end);
  const late = samples.slice(samples.length >> 1).sort((a, b) => a - b);
  return late[late.length >> 2]!;
}
