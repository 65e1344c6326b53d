import type { ByteReader, ByteWriter } from './bytes.ts';
import { safeEnd } from './loss-bound.ts';

/**
 * Integral control of the stop threshold on a doubly robust estimate of the loss (docs/routing.md 3b, bound and proof sketch in 3c).
 *
 * Every event pays in `eta * epsilon` and takes out `eta * estimate`, where its estimate arrives in parts:
 * at once the predicted harm g, after an audit `(rho d - g) / p`, with the truth `(y - rho d) / p`. Their sum
 * `g + (A/p)(y - g)` is an unbiased estimate of the loss whatever g and rho are; better ones only make it quieter.
 */
export class RiskController {
  readonly #epsilon: number;
  readonly #eta: number;
  #theta: number;
  #start: number;
  #estimate = 0;
  #served = 0;

  constructor(target: { readonly epsilon: number; readonly eta: number }, theta = thetaStart(target.epsilon)) {
    this.#epsilon = target.epsilon;
    this.#eta = target.eta;
    this.#theta = theta;
    this.#start = theta;
  }

  /** Takes over what `write` kept; epsilon and eta stay those of the flow, which an operator may have changed meanwhile. */
  read(from: ByteReader): void {
    this.#theta = from.f64();
    this.#start = from.f64();
    this.#estimate = from.f64();
    this.#served = from.f64();
  }

  write(to: ByteWriter): void {
    to.f64(this.#theta).f64(this.#start).f64(this.#estimate).f64(this.#served);
  }

  get theta(): number {
    return this.#theta;
  }

  /** Where control began: theta_1 of the bound. */
  get start(): number {
    return this.#start;
  }

  /**
   * What theta adds to ln tau. Near its start tau answers to theta with six tenths of it, towards both ends ever more, and at the ends with all.
   * Theta keeps the account of what may be lost and takes every stroke of the audits' noise; loss grows faster than tau, so a
   * threshold that followed each stroke would pay for them with cost.
   */
  get swing(): number {
    const away = this.#theta - this.#start;
    const span = away < 0 ? this.#start - safeEnd : -this.#start;
    return away * (response + ((1 - response) * Math.abs(away)) / span);
  }

  /** Sum of all estimates so far, in events: what the pathwise bound bounds. */
  get estimatedLoss(): number {
    return this.#estimate;
  }

  /**
   * One event was served; `harm` is the g its decision was logged with, 0 when heavy served it.
   * @param epsilon what it pays in, at most the declared loss.
   */
  served(harm: number, epsilon = this.#epsilon): void {
    this.#estimate += harm;
    this.#served++;
    this.#move(this.#eta * (epsilon * (1 - margin(this.#served)) - harm));
  }

  /** A later part of an event's estimate, already divided by its audit probability. */
  correct(part: number): void {
    this.#estimate += part;
    this.#move(-this.#eta * part);
  }

  /** Nothing is left to give. */
  exhaust(): void {
    this.#theta = Math.min(this.#theta, safeEnd);
  }

  // No lower clip: a debt deeper than the safe end has to be earned back event by event, or the bound would not hold.
  #move(step: number): void {
    this.#theta = Math.min(0, this.#theta + step);
  }
}

/** Share of theta's way that ln tau follows where theta began. */
const response = 0.6;

/** Start at twice the declared loss: ln 0.02 for a target of 1 % (docs/routing.md 3b). */
export function thetaStart(epsilon: number): number {
  return Math.min(0, Math.log(2 * epsilon));
}

/**
 * Share of epsilon held back: a tenth at first, then falling with the root of the events. The realised loss scatters around the
 * controlled one by the noise of the audits, which falls the same way; without it half of all streams would end above epsilon.
 */
function margin(events: number): number {
  return Math.min(0.1, Math.sqrt(200 / events));
}
