import type { SparseRow } from '@sluice/domain';
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { binCount, figures, SignatureBins } from './signature-bins.ts';

export interface ShiftWatchOptions {
  /** ln of the evidence at which the input counts as changed. */
  readonly alarmAt: number;
  /** Pairs that the older event of a pair lies behind: how long after a change old and new are still compared. */
  readonly lag: number;
}

/** While nothing changes the mean number of pairs between two alarms is at least e^11.5 = 98,700. */
export const shiftWatchOptions: ShiftWatchOptions = { alarmAt: 11.5, lag: 500 };

/** Weight of the long-run shares in the recent ones, and what is kept of the recent counts from one pair to the next. */
const recent = { prior: 32, keep: 1 - 1 / 128 };

/**
 * Finds changes of what is asked, without any answer or truth. A warning only: the threshold answers to losses.
 *
 * Every other event waits until `lag` more have joined it and is then paired with the newest. For each figure of the signature a pair
 * gives the e-value of Turner, Ly and Gruenwald (arXiv 2106.02693) against "both come from one distribution": with shares a, expected of the older
 * event's bin, b, expected of the newer's, and m = (a + b) / 2, it is a(x)/m(x) * b(y)/m(y). Whatever the common distribution, its mean is
 * f(a) f(b) with f(a) + f(b) = 2, so at most 1. The CUSUM of such values, averaged over the figures, is an e-detector (Shin, Ramdas and Rinaldo,
 * arXiv 2203.03532): within n pairs a false alarm has a probability of at most n / e^alarmAt.
 */
export class ShiftWatch {
  readonly #options: ShiftWatchOptions;
  readonly #bins: SignatureBins;
  #waiting: Uint8Array[] = [];
  #turn = 0;
  #pairs = 0;
  #recentPairs = 0;
  /** By figure: counts of older bins, counts of recent newer ones, and the log of the CUSUM. */
  readonly #older = Array.from({ length: figures }, () => new Float64Array(binCount));
  readonly #newer = Array.from({ length: figures }, () => new Float64Array(binCount));
  readonly #evidence = new Float64Array(figures);

  constructor(width: number, options = shiftWatchOptions) {
    this.#bins = new SignatureBins(width);
    this.#options = options;
  }

  read(from: ByteReader): void {
    this.#bins.read(from);
    this.#turn = from.u8();
    this.#pairs = from.f64();
    this.#recentPairs = from.f64();
    this.#waiting = Array.from({ length: from.u32() }, () => from.bytes());
    for (let figure = 0; figure < figures; figure++) {
      for (let bin = 0; bin < binCount; bin++) {
        this.#older[figure]![bin] = from.f64();
        this.#newer[figure]![bin] = from.f64();
      }
      this.#evidence[figure] = from.f64();
    }
  }

  write(to: ByteWriter): void {
    this.#bins.write(to);
    to.u8(this.#turn).f64(this.#pairs).f64(this.#recentPairs).u32(this.#waiting.length);
    for (const bins of this.#waiting) to.bytes(bins);
    for (let figure = 0; figure < figures; figure++) {
      for (let bin = 0; bin < binCount; bin++) to.f64(this.#older[figure]![bin]!).f64(this.#newer[figure]![bin]!);
      to.f64(this.#evidence[figure]!);
    }
  }

  /** ln of the evidence for a change: what is held against the alarm. */
  get evidence(): number {
    let sum = 0;
    for (const one of this.#evidence) sum += Math.exp(one);
    return Math.log(sum / figures);
  }

  /** One event was asked; true is an alarm, after which everything begins anew with the events to come. */
  observe(row: SparseRow): boolean {
    const bins = this.#bins.sort(row);
    if (bins === undefined) return false;
    this.#turn ^= 1;
    if (this.#turn === 1) {
      this.#waiting.push(bins);
      return false;
    }
    if (this.#waiting.length < this.#options.lag) return false;
    this.#pair(this.#waiting.shift()!, bins);
    if (this.evidence <= this.#options.alarmAt) return false;
    this.#restart();
    return true;
  }

  #pair(older: Uint8Array, newer: Uint8Array): void {
    for (let figure = 0; figure < figures; figure++) {
      const [counts, recents] = [this.#older[figure]!, this.#newer[figure]!];
      const [x, y] = [older[figure]!, newer[figure]!];
      const a = (bin: number): number => (counts[bin]! + 0.5) / (this.#pairs + binCount / 2);
      const b = (bin: number): number => (recents[bin]! + recent.prior * a(bin)) / (this.#recentPairs + recent.prior);
      const gain = Math.log((4 * a(x) * b(y)) / ((a(x) + b(x)) * (a(y) + b(y))));
      this.#evidence[figure] = Math.max(0, this.#evidence[figure]! + gain);
      counts[x]!++;
      for (let bin = 0; bin < binCount; bin++) recents[bin]! *= recent.keep;
      recents[y]!++;
    }
    this.#pairs++;
    this.#recentPairs = this.#recentPairs * recent.keep + 1;
  }

  #restart(): void {
    this.#bins.restart();
    this.#waiting = [];
    this.#turn = 0;
    this.#pairs = this.#recentPairs = 0;
    this.#evidence.fill(0);
    for (let figure = 0; figure < figures; figure++) {
      this.#older[figure]!.fill(0);
      this.#newer[figure]!.fill(0);
    }
  }
}
