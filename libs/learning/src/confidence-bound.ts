import type { CertifiedLoss } from '@sluice/domain';

/** Chance that the interval of a regime ever misses, each side: 5 % together. */
const alpha = 0.025;

/** Bets that are mixed, as shares of the largest weight 1 / p that an audit can have. */
const bets = [0.9, 0.6, 0.3, 0.15, 0.08, 0.04, 0.02, 0.01];

export interface Audited {
  /** Events served. */
  readonly events: number;
  /** Sum of A y / p over them. */
  readonly harm: number;
  /** The same over disagreements whose truth is not known: harm at worst. */
  readonly suspected: number;
  /** Sum of (A y / p)^2, suspected ones included. */
  readonly squares: number;
  /** Smallest audit probability of any of them. */
  readonly pMin: number;
}

/**
 * Anytime-valid interval of the mean loss of a regime (Waudby-Smith and Ramdas, arXiv 2010.09686, theorem 2; supermartingale of Fan,
 * Grama and Liu 2015). With Z = p_min A y / p in [0, 1] and any bet l in [0, 1),
 * `exp(l sum (mu - Z) - psi(l) sum Z^2)` with `psi(l) = -ln(1 - l) - l` is a supermartingale, and so is its mirror image and any mixture.
 * Nothing is assumed of the events: mu may change from one to the next and depend on all before.
 */
export function certify({ events, harm, suspected, squares, pMin }: Audited): CertifiedLoss {
  if (events === 0) return { events, estimate: 0, lower: 0, upper: 1 };
  const squared = squares * pMin * pMin;
  const width = largestGap(squared) / pMin;
  const share = (sum: number): number => Math.min(1, Math.max(0, sum / events));
  return { events, estimate: share(harm), lower: share(harm - width), upper: share(harm + suspected + width) };
}

/** The largest gap between the sum of Z and that of mu at which the mixed capital stays below 1 / alpha. */
function largestGap(squared: number): number {
  let [within, beyond] = [0, 1 / bets.at(-1)!];
  while (capital(beyond, squared) < 1 / alpha) beyond *= 2;
  for (let step = 0; step < 50; step++) {
    const middle = (within + beyond) / 2;
    if (capital(middle, squared) < 1 / alpha) within = middle;
    else beyond = middle;
  }
  return beyond;
}

function capital(gap: number, squared: number): number {
  let sum = 0;
  for (const bet of bets) sum += Math.exp(Math.min(700, bet * gap + (Math.log1p(-bet) + bet) * squared));
  return sum / bets.length;
}
