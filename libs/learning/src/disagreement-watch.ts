import { logit, sigmoid } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Log-likelihood ratio at which a change counts as found (docs/routing.md 3b). */
export const alarmAt = 6;

/** No prediction is surer than this: else two coincidences in a row would be an alarm. */
const surest = 0.005;
const rate = 0.05;
const smallest = 1e-6;

/**
 * Bernoulli CUSUM (Page 1954) on the audited disagreement of one tier against its own predicted rate.
 *
 * The heads predict harm, the audit sees disagreement, and harm is only a part of that. So the rate is predicted from the
 * logged harm by two numbers of its own, `g_d = sigmoid(offset + slope * logit(g))`: as per-event as the head, blind to the truth's
 * delay, and slow enough (AdaGrad at 0.05) that a jump is an alarm before it is a habit.
 */
export class DisagreementWatch {
  #offset = 0.2;
  #slope = 1;
  #offsetSquares = 1;
  #slopeSquares = 1;
  #sum = 0;

  static read(from: ByteReader): DisagreementWatch {
    const watch = new DisagreementWatch();
    watch.#offset = from.f64();
    watch.#slope = from.f64();
    watch.#offsetSquares = from.f64();
    watch.#slopeSquares = from.f64();
    watch.#sum = from.f64();
    return watch;
  }

  write(to: ByteWriter): void {
    to.f64(this.#offset).f64(this.#slope).f64(this.#offsetSquares).f64(this.#slopeSquares).f64(this.#sum);
  }

  get sum(): number {
    return this.#sum;
  }

  /** g_d: expected rate of disagreement where the head claims `harm`. */
  expected(harm: number): number {
    return Math.min(0.95, Math.max(surest, sigmoid(this.#offset + this.#slope * centred(harm))));
  }

  /** Counts one audit of a served answer; true is an alarm, after which the count starts anew. */
  observe(disagreed: boolean, harm: number): boolean {
    const before = this.expected(harm);
    const after = Math.max(before, Math.min(0.6, 2.5 * before + 0.05));
    const evidence = disagreed ? Math.log(after / before) : Math.log((1 - after) / (1 - before));
    this.#sum = Math.max(0, this.#sum + evidence);
    this.#learn(before - (disagreed ? 1 : 0), centred(harm));
    if (this.#sum <= alarmAt) return false;
    this.#sum = 0;
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
