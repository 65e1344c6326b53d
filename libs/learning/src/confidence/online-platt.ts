import { logit, sigmoid } from '@sluice/routing';
import type { ByteReader, ByteWriter } from '../bytes.ts';

/** Confidences are clipped to [clip, 1 - clip]: a saturated softmax says no more than that. */
const clip = 1e-4;

/** Curvature of the loss that each step counts on, and weight of the starting point in observations. */
const newton = { gamma: 0.1, prior: 100 };

/**
 * Platt scaling learned one answer at a time by online Newton steps (Gupta and Ramdas, arXiv 2305.00070): the logit of a confidence is shifted and
 * stretched, so that the log loss stays within O(log n) of the best shift and stretch in hindsight, on any sequence.
 */
export class OnlinePlatt {
  #shift = 0;
  #stretch = 1;
  /** The symmetric matrix of summed squared slopes. */
  #curve = { shift: newton.prior, both: 0, stretch: newton.prior };

  read(from: ByteReader): void {
    this.#shift = from.f64();
    this.#stretch = from.f64();
    this.#curve = { shift: from.f64(), both: from.f64(), stretch: from.f64() };
  }

  write(to: ByteWriter): void {
    const { shift, both, stretch } = this.#curve;
    to.f64(this.#shift).f64(this.#stretch).f64(shift).f64(both).f64(stretch);
  }

  /** Probability that an answer of this confidence is right. */
  predict(confidence: number): number {
    return sigmoid(this.#shift + this.#stretch * inputOf(confidence));
  }

  observe(confidence: number, right: boolean): void {
    const input = inputOf(confidence);
    const slope = this.predict(confidence) - (right ? 1 : 0);
    const forInput = slope * input;
    const curve = this.#curve;
    curve.shift += slope * slope;
    curve.both += slope * forInput;
    curve.stretch += forInput * forInput;
    const determinant = curve.shift * curve.stretch - curve.both * curve.both;
    this.#shift -= (curve.stretch * slope - curve.both * forInput) / (newton.gamma * determinant);
    this.#stretch -= (curve.shift * forInput - curve.both * slope) / (newton.gamma * determinant);
  }

  /** After a change of the world: what was seen counts a twentieth. */
  quicken(): void {
    const { shift, both, stretch } = this.#curve;
    const kept = (seen: number): number => newton.prior + 0.05 * (seen - newton.prior);
    this.#curve = { shift: kept(shift), both: 0.05 * both, stretch: kept(stretch) };
  }
}

function inputOf(confidence: number): number {
  return logit(Math.min(1 - clip, Math.max(clip, Number.isFinite(confidence) ? confidence : 0.5)));
}
