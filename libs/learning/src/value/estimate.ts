import { bettingInterval, type BetTerms } from './betting-interval.ts';

/** What a candidate would have lost or cost, a share of events or of heavy's cost, with an interval of at least 95 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/** The three usual estimates of one quantity. They agree within their intervals, or the log does not support the candidate. */
export interface Estimates {
  /** Inverse propensity: unbiased, noisy. */
  readonly ips: Estimate;
  /** The same divided by the sum of the weights instead of their number: quieter, biased by what vanishes with the effective sample size. */
  readonly snips: Estimate;
  /** Doubly robust: predictions corrected by what audits saw. Unbiased whatever the predictions are; good ones make it quiet. */
  readonly dr: Estimate;
}

/** One event of the log as one candidate's quantity sees it. */
export interface Term {
  /** With which everything about the event would be known, fixed before it was drawn. */
  readonly probability: number;
  readonly known: boolean;
  /** The quantity; of no meaning where it is not known. */
  readonly actual: number;
  /** The same as predicted from what was known before the audit was drawn. */
  readonly predicted: number;
}

/**
 * Sums of one quantity over a log (Dudik, Langford and Li 2011; Swaminathan and Joachims 2015). Events that are known for certain are set apart: they
 * add their quantity and no doubt.
 */
export class EstimateSums {
  readonly #most: number;
  #certain = 0;
  #certainSum = 0;
  /** Of the other events: how many, the known ones' weights w and w f, and every one's q + w (f - q). */
  #events = 0;
  readonly #weights: number[] = [];
  readonly #weighted: number[] = [];
  readonly #corrected: number[] = [];
  #largestWeight = 1;
  /** What an audit can take from a prediction at most: q (1 / p - 1). */
  #fall = 0;

  /** @param most the largest the quantity can be; the smallest is 0. */
  constructor(most: number) {
    this.#most = most;
  }

  add({ probability, known, actual, predicted }: Term): void {
    if (known && probability >= 1) {
      this.#certain++;
      this.#certainSum += actual;
      return;
    }
    const weight = 1 / probability;
    this.#events++;
    this.#largestWeight = Math.max(this.#largestWeight, weight);
    this.#fall = Math.max(this.#fall, predicted * (weight - 1));
    this.#corrected.push(known ? predicted + weight * (actual - predicted) : predicted);
    if (!known) return;
    this.#weights.push(weight);
    this.#weighted.push(weight * actual);
  }

  /** Number of equally weighted events that would say as much: (sum w)^2 / sum w^2. */
  get effectiveSamples(): number {
    const squares = this.#certain + this.#weights.reduce((sum, weight) => sum + weight * weight, 0);
    return squares > 0 ? (this.#certain + sumOf(this.#weights)) ** 2 / squares : 0;
  }

  get estimates(): Estimates {
    const [weights, weighted, corrected] = [this.#weights, this.#weighted, this.#corrected].map((list) => Float64Array.from(list));
    const ones = new Float64Array(this.#events).fill(1);
    const bounds = { most: this.#most * this.#largestWeight, fall: 0, width: 1, idle: 0, events: this.#events };
    const total = sumOf(this.#weighted);
    const ips = { ...bounds, a: weighted!, b: ones, idle: this.#events - weighted!.length };
    const snips = { ...bounds, a: weighted!, b: weights!, width: this.#largestWeight };
    const dr = { ...bounds, a: corrected!, b: ones, fall: this.#fall };
    const events = Math.max(1, this.#events);
    return {
      ips: this.#estimate(ips, total / events),
      snips: this.#estimate(snips, total / (sumOf(this.#weights) || 1)),
      dr: this.#estimate(dr, sumOf(this.#corrected) / events),
    };
  }

  /** From the mean of the events that are not certain to that of all. */
  #estimate(terms: BetTerms, mean: number): Estimate {
    const { lower, upper } = bettingInterval(terms, mean, this.#most);
    const all = Math.max(1, this.#events + this.#certain);
    const share = (one: number): number => (this.#certainSum + one * this.#events) / all;
    if (this.#events + this.#certain === 0) return { value: mean, lower, upper };
    return { value: share(mean), lower: share(lower), upper: share(upper) };
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
