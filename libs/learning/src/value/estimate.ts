/** What a candidate would have lost or cost, a share of events or of heavy's cost, with an interval meant for 95 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/** The three usual estimates of one quantity. They agree within their intervals, or the log does not support the candidate. */
export interface Estimates {
  /** Inverse propensity: unbiased, noisy. */
  readonly ips: Estimate;
  /** The same divided by the sum of the weights: quieter, biased by what vanishes with the effective sample size. */
  readonly snips: Estimate;
  /** Doubly robust: predictions corrected by what audits saw. Unbiased whatever the predictions are; good ones make it quiet. */
  readonly dr: Estimate;
}

/** One event of the log as one candidate's quantity sees it. */
export interface Term {
  /** 1 / (probability that everything about the event would be known); 0 where it is not known. */
  readonly weight: number;
  /** The quantity; of no meaning where the weight is 0. */
  readonly actual: number;
  /** The same as predicted from what was known before the audit was drawn. */
  readonly predicted: number;
}

/**
 * Two-sided 98 % of a normal. Harm is rare and its weights are large, so the means are skewed: with a hundred audits intervals of 1.96 held the truth in
 * 93 % of simulated logs.
 */
const z = 2.33;

/** Sums of one quantity over a log (Dudik, Langford and Li 2011; Swaminathan and Joachims 2015). */
export class EstimateSums {
  #events = 0;
  #weights = 0;
  #ips = 0;
  #ipsSquares = 0;
  #weightSquares = 0;
  /** Sums of w^2 f and w^2 f^2. */
  #crossed = 0;
  #dr = 0;
  #drSquares = 0;

  add({ weight, actual, predicted }: Term): void {
    const known = weight > 0 ? actual : 0;
    const corrected = predicted + (weight > 0 ? weight * (actual - predicted) : 0);
    this.#events++;
    this.#weights += weight;
    this.#weightSquares += weight * weight;
    this.#ips += weight * known;
    this.#ipsSquares += (weight * known) ** 2;
    this.#crossed += weight * weight * known;
    this.#dr += corrected;
    this.#drSquares += corrected * corrected;
  }

  /** Number of equally weighted events that would say as much: (sum w)^2 / sum w^2. */
  get effectiveSamples(): number {
    return this.#weights > 0 ? this.#weights ** 2 / this.#weightSquares : 0;
  }

  get estimates(): Estimates {
    return { ips: this.#mean(this.#ips, this.#ipsSquares), snips: this.#normalised(), dr: this.#mean(this.#dr, this.#drSquares) };
  }

  #mean(sum: number, squares: number): Estimate {
    const events = Math.max(1, this.#events);
    const value = sum / events;
    return interval(value, Math.max(0, squares - sum * value) / events ** 2 + this.#unseen(events));
  }

  #normalised(): Estimate {
    const weights = Math.max(1, this.#weights);
    const value = this.#ips / weights;
    const squares = this.#ipsSquares - 2 * value * this.#crossed + value * value * this.#weightSquares;
    return interval(value, Math.max(0, squares) / weights ** 2 + this.#unseen(weights));
  }

  /**
   * Variance of one known event more, as heavy as the mean of them by their own weight. A log that happens to show no harm at all is no
   * proof that there is none; as in the interval of Agresti and Coull (1998) this keeps such an interval from collapsing.
   */
  #unseen(total: number): number {
    // Where nothing at all is known one event may be everything.
    const weight = this.#weights > 0 ? this.#weightSquares / this.#weights : total;
    return (weight / total) ** 2;
  }
}

function interval(value: number, variance: number): Estimate {
  const width = z * Math.sqrt(variance);
  return { value, lower: Math.max(0, value - width), upper: value + width };
}
