/** ln 1e-4: at this theta and below nothing but the heavy tier serves. */
export const safeEnd = Math.log(1e-4);

export interface LossBoundInput {
  /** Declared largest loss against always-heavy, as a share of events. */
  readonly epsilon: number;
  /** Step of the controller per unit of loss. */
  readonly eta: number;
  /** Theta before the first event. */
  readonly thetaStart: number;
  /** Most events between a decision and the last part of its feedback, the time a new policy needs to arrive included. */
  readonly delay: number;
  /** Smallest probability with which a lightly served event is audited. */
  readonly pMin: number;
  /** Events counted. */
  readonly events: number;
}

export interface LossBound {
  /** Bound of the expected number of harmed events, for any stream, model, drift and delay up to `delay`. */
  readonly expected: number;
  /** Bound of the *estimated* number of harmed events on every single path; what the property tests check. */
  readonly pathwise: number;
  /** `expected` as a share of events: epsilon plus the excess that short streams pay. */
  readonly expectedRate: number;
  readonly excessRate: number;
}

/**
 * Bound of the loss (docs/routing.md 3c). Steps are theta += eta (epsilon - loss estimate); clipping at 0 and alarms only lower theta, and at
 * the safe end no event is harmed, so the estimates can never outrun what theta had to give:
 * `sum <= epsilon T + (theta_1 - theta_min) / eta + (D + 1) / p_min` on every path, and in expectation, because the estimate is unbiased,
 * `<= epsilon T + (theta_1 - theta_min) / eta + D + 1 / p_min`.
 */
export function lossBound(input: LossBoundInput): LossBound {
  const { epsilon, eta, thetaStart, delay, pMin, events } = input;
  const budget = epsilon * events + Math.max(0, thetaStart - safeEnd) / eta;
  const expected = budget + delay + 1 / pMin;
  const expectedRate = expected / Math.max(1, events);
  return { expected, pathwise: budget + (delay + 1) / pMin, expectedRate, excessRate: expectedRate - epsilon };
}

/**
 * Half-width, as a share of events, of the interval around the expectation in which the realised loss lies: the noise of
 * auditing only a part. `sqrt(2 epsilon ln(1/delta) / (p T))`, docs/routing.md 3c; `auditRate` is the mean audit probability.
 */
export function samplingWidth(input: {
  readonly epsilon: number;
  readonly auditRate: number;
  readonly events: number;
  readonly delta: number;
}): number {
  const { epsilon, auditRate, events, delta } = input;
  return Math.sqrt((2 * epsilon * Math.log(1 / delta)) / (auditRate * Math.max(1, events)));
}
