/**
 * What to expect of a tier before it runs, given that the stop rule will judge its answer afterwards.
 *
 * A route head knows the mean harm g(x) of a tier. The stop rule will see the tier's output o and the sharper g(x, o), serve the
 * answer where g(x, o) <= bar and go on elsewhere. So the harm that counts in a pre-route is not g(x) but the part of it
 * that the stop rule will let through; taking all of g(x) would send nearly everything straight to heavy and the cascade,
 * where the saving is, would never start.
 *
 * How far g(x, o) spreads around g(x) is modelled as a Weibull law of shape 1/2 with mean g(x): most answers are nearly harmless, few are
 * very harmful. It has closed forms and expects more escalations than a sharp stop head needs, so it errs to the safe side. The
 * controller's guarantee does not rest on this model; only the choice of the first tier does.
 */

/** Chance that the stop rule will not accept the answer: P(g(x, o) > bar). `bar` is a harm, infinite when there is nowhere to go on to. */
export function escalationChance(harm: number, bar: number): number {
  return Math.exp(-reach(harm, bar));
}

/** Harm that will be served: E[g(x, o); g(x, o) <= bar], between 0 and `harm`. */
export function residualHarm(harm: number, bar: number): number {
  const u = reach(harm, bar);
  // Beyond 40 the missing part is below 1e-14 of the whole, and an infinite bar would give 0 x infinity.
  if (u > 40) return harm;
  return (harm / 2) * (2 - Math.exp(-u) * (u * u + 2 * u + 2));
}

function reach(harm: number, bar: number): number {
  return Math.sqrt((2 * bar) / harm);
}
