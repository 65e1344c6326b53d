import type { Timing } from './timing.ts';

/** T(n) = base + perRow * n: what a batch of n rows keeps a thread busy, in microseconds. */
export interface BatchFit {
  readonly base: number;
  readonly perRow: number;
}

/** Weight of the past after one more batch: the last 50 batches or so decide. */
const memory = 0.98;
/** Weight of a calibration timing, which is never forgotten: next to nothing against 50 batches of different sizes. */
const prior = 0.05;

/** Microseconds for which rows may wait for each other without anyone minding. */
const harmless = 10_000;

/** Weighted sums over batches (x rows, y microseconds): all that least squares needs. */
interface Sums {
  w: number;
  x: number;
  y: number;
  xx: number;
  xy: number;
}

/**
 * Learns T(n) from the batches that ran: recursive least squares with exponential forgetting, in information form (Ljung,
 * System Identification, 11.2). The timings of calibration stay as a weak prior: a full server sees batches of one
 * size only, which tell nothing about base and slope apart, and without it the two would drift off together.
 * Garbage collection and busy neighbours make outliers: a batch counts with at most three times the usual error.
 */
export class BatchCost {
  readonly #prior: Readonly<Sums>;
  #seen: Sums = { w: 0, x: 0, y: 0, xx: 0, xy: 0 };
  #fit: BatchFit;
  #usualError: number | undefined;

  constructor(timings: readonly Timing[] = []) {
    const sums: Sums = { w: 0, x: 0, y: 0, xx: 0, xy: 0 };
    for (const { n, micros } of timings) add(sums, { n, micros, weight: prior });
    this.#prior = sums;
    this.#fit = solve(sums);
  }

  observe(n: number, micros: number): void {
    const expected = this.#fit.base + this.#fit.perRow * n;
    const error = Math.abs(micros - expected);
    const limit = this.#usualError === undefined ? Infinity : 3 * this.#usualError;
    // The first batches meet cold code: their error says little about what is usual.
    this.#usualError = this.#usualError === undefined ? error + 1 : 0.9 * this.#usualError + 0.1 * error;
    const seen = this.#seen;
    for (const key of ['w', 'x', 'y', 'xx', 'xy'] as const) seen[key] *= memory;
    add(seen, { n, micros: Math.max(expected - limit, Math.min(expected + limit, micros)), weight: 1 });
    const { w, x, y, xx, xy } = this.#prior;
    this.#fit = solve({ w: w + seen.w, x: x + seen.x, y: y + seen.y, xx: xx + seen.xx, xy: xy + seen.xy });
  }

  get fit(): BatchFit {
    return this.#fit;
  }

  /**
   * The batch at which one more row lowers the time per row so little that waiting for it does not pay: the fixed part
   * is then `gain` of the whole. A base taken too low would cost throughput for good and one too high only a moment, so
   * up to 32 rows go together as long as they take a harmless time.
   * @param hop microseconds that handing over a batch costs the main thread, added to the fixed part.
   */
  batchSize(maxBatch: number, hop: number, gain = 0.05): number {
    const { base, perRow } = this.#fit;
    if (perRow === 0) return maxBatch;
    const worthwhile = Math.ceil(((1 / gain - 1) * (base + hop)) / perRow);
    return Math.max(1, Math.min(maxBatch, Math.max(worthwhile, Math.min(32, Math.floor((harmless - base) / perRow)))));
  }

  /** The largest batch that is done within `micros`, but for one in a hundred or so: three times the usual error is set aside. */
  rowsWithin(micros: number): number {
    const { base, perRow } = this.#fit;
    const left = micros - base - 3 * (this.#usualError ?? 0);
    return left < 0 ? 0 : perRow === 0 ? Infinity : Math.floor(left / perRow);
  }
}

function add(sums: Sums, { n, micros, weight }: Timing & { readonly weight: number }): void {
  sums.w += weight;
  sums.x += weight * n;
  sums.y += weight * micros;
  sums.xx += weight * n * n;
  sums.xy += weight * n * micros;
}

/** Least squares with base and slope at least 0: noise must not make large batches look free, or small ones. */
function solve({ w, x, y, xx, xy }: Readonly<Sums>): BatchFit {
  if (w === 0) return { base: 0, perRow: 0 };
  const spread = w * xx - x * x;
  const slope = spread > 1e-9 * w * xx ? (w * xy - x * y) / spread : 0;
  if (slope < 0) return { base: y / w, perRow: 0 };
  const base = (y - slope * x) / w;
  return base < 0 ? { base: 0, perRow: xy / xx } : { base, perRow: slope };
}
