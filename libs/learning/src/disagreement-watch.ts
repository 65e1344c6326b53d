import { logit, sigmoid } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Log-likelihood ratio at which a change counts as found. At most one false alarm in e^7.5 / 2 = 904 audits; in 1,000 simulated streams far fewer. */
export const alarmAt = 7.5;

/** Changes looked for, one sum each: more than twice the rate, and a fifth of all answers gone wrong. */
const changes = [(rate: number) => Math.min(0.6, 2.5 * rate + 0.05), (rate: number) => Math.min(0.9, rate + 0.25)];

/** No prediction is surer than this: else two coincidences in a row would be an alarm. */
const surest = 0.02;
/** Before its calibration has seen this many audits, the expected rate leans towards the prior's. */
const prior = { rate: 0.06, audits: 60 };
const rate = 0.05;
const smallest = 1e-6;

/**
 * Bernoulli CUSUM (Page 1954) on the audited disagreement of one tier against its own predicted rate.
 *
 * The heads predict harm, the audit sees disagreement, and harm is only a part of that. So the rate is predicted from the
 * logged harm by two numbers of its own, `g_d = sigmoid(offset + slope * logit(g))`: as per-event as the head, blind to the truth's
 * delay, and slow enough (AdaGrad at 0.05) that a jump is an alarm before it is a habit.
 *
 * Each sum is the log of a likelihood ratio against "the rate is at most the expected one", so while that holds the mean number of
 * audits between two alarms is at least e^alarmAt / 2 (Lorden 1971; Shin, Ramdas and Rinaldo, arXiv 2203.03532).
 */
export class DisagreementWatch {
  #offset = 0.2;
  #slope = 1;
  #offsetSquares = 1;
  #slopeSquares = 1;
  #audits = 0;
  #sums = changes.map(() => 0);

  static read(from: ByteReader): DisagreementWatch {
    const watch = new DisagreementWatch();
    watch.#offset = from.f64();
    watch.#slope = from.f64();
    watch.#offsetSquares = from.f64();
    watch.#slopeSquares = from.f64();
    watch.#audits = from.f64();
    watch.#sums = watch.#sums.map(() => from.f64());
    return watch;
  }

  write(to: ByteWriter): void {
    to.f64(this.#offset).f64(this.#slope).f64(this.#offsetSquares).f64(this.#slopeSquares).f64(this.#audits);
    for (const sum of this.#sums) to.f64(sum);
  }

  /** The larger of the two sums. */
  get sum(): number {
    return Math.max(...this.#sums);
  }

  /** g_d: expected rate of disagreement where the head claims `harm`. */
  expected(harm: number): number {
    const learned = Math.min(0.95, Math.max(surest, sigmoid(this.#offset + this.#slope * centred(harm))));
    const leaning = (learned * this.#audits + prior.rate * prior.audits) / (this.#audits + prior.audits);
    return Math.max(learned, leaning);
  }

  /** Counts one audit of a served answer; true is an alarm, after which the count starts anew. */
  observe(disagreed: boolean, harm: number): boolean {
    const before = this.expected(harm);
    this.#sums = this.#sums.map((sum, index) => {
      const after = Math.max(before, changes[index]!(before));
      return Math.max(0, sum + (disagreed ? Math.log(after / before) : Math.log((1 - after) / (1 - before))));
    });
    this.#audits++;
    this.#learn(before - (disagreed ? 1 : 0), centred(harm));
    if (this.sum <= alarmAt) return false;
    this.#sums = this.#sums.map(() => 0);
    return true;
  }

  #learn(slope: number, input: number): void {
    const forInput = slope * input;
    this.#offsetSquares += slope * slope;
    this.#slopeSquares += forInput * forInput;
    this.#offset -= (rate * slope) / Math.sqrt(this.#offsetSquares + smallest);
    this.#slope -= (rate * forInput) / Math.sqrt(this.#slopeSquares + smallest);
  }
}

function centred(harm: number): number {
  return logit(Math.min(0.999, Math.max(2e-4, harm)));
}
