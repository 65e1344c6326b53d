import type { ByteReader, ByteWriter } from './bytes.ts';
import { safeEnd } from './loss-bound.ts';

/** How far an alarm lowers theta: tau is divided by 12 (docs/routing.md 3b). */
export const alarmJump = 2.5;

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
  }

  write(to: ByteWriter): void {
    to.f64(this.#theta).f64(this.#start).f64(this.#estimate);
  }

  get theta(): number {
    return this.#theta;
  }

  /** tau = exp(theta), kept above 0 however deep theta has sunk. */
  get threshold(): number {
    return Math.exp(Math.max(-700, this.#theta));
  }

  /** Sum of all estimates so far, in events: what the pathwise bound bounds. */
  get estimatedLoss(): number {
    return this.#estimate;
  }

  /** There is nothing left to give: only the heavy tier may serve, whose loss is 0 by definition. */
  get atSafeEnd(): boolean {
    return this.#theta <= safeEnd;
  }

  /** One event was served; `harm` is the g its decision was logged with, 0 when heavy served it. */
  served(harm: number): void {
    this.#estimate += harm;
    this.#move(this.#eta * (this.#epsilon - harm));
  }

  /** A later part of an event's estimate, already divided by its audit probability. */
  correct(part: number): void {
    this.#estimate += part;
    this.#move(-this.#eta * part);
  }

  alarm(): void {
    this.#move(-alarmJump);
  }

  /** Starts at a calibrated theta. Only before a light tier has served anything: the bound counts from here. */
  start(theta: number): void {
    this.#theta = Math.min(0, theta);
    this.#start = this.#theta;
  }

  /** Where control began: theta_1 of the bound. */
  get thetaStart(): number {
    return this.#start;
  }

  // No lower clip: a debt deeper than the safe end has to be earned back event by event, or the bound would not hold.
  #move(step: number): void {
    this.#theta = Math.min(0, this.#theta + step);
  }
}

/** Start at twice the declared loss: ln 0.02 for a target of 1 % (docs/routing.md 3b). */
export function thetaStart(epsilon: number): number {
  return Math.min(0, Math.log(2 * epsilon));
}
