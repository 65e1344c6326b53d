/** Chance that the interval misses, each side: 5 % together. */
const alpha = 0.025;

/**
 * Bets are shares of 1 / (largest term), each a quarter of the one before, down to the one that suits the largest variance there can be. Against too low
 * a mean more may be staked: little can be lost there.
 */
const largestBet = { low: 16, high: 1 };
const step = 4;

/** No bet may lose everything on one event. */
const stake = 0.95;

/**
 * Terms `a - b m` whose expectations are those of the events less `m`, so that they add up to nothing when `m` is the mean that is looked for.
 * `idle` more of them, with a = 0 and b = 1, are only counted.
 */
export interface BetTerms {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly idle: number;
  /** Events that they stand for. */
  readonly events: number;
  /** Bounds that hold whichever events are drawn: of a from above, of -a from above, and of b. */
  readonly most: number;
  readonly fall: number;
  readonly width: number;
}

/**
 * Interval that holds the mean with at least 95 % confidence for any number of events (betting, Waudby-Smith and Ramdas, arXiv 2010.09686): the
 * means on which nobody who bets a fixed share of a capital of 1 has made 40 of it. With any stake l the capital `prod(1 + l (a - b m))` has an
 * expectation of at most 1 under the true mean, because a product of factors whose mean is 1 is at most 1; so has any mixture of stakes. Nothing is
 * assumed of the events; they may all differ, and the bounds must not depend on which of them are drawn.
 *
 * @param range of the mean: it is 0 to this.
 */
export function bettingInterval(terms: BetTerms, estimate: number, range: number): { readonly lower: number; readonly upper: number } {
  const inside = Math.min(range, Math.max(0, estimate));
  // sqrt(2 ln(1 / alpha) / (n V)) is the bet for a variance V, which is at most range * most / 2.
  const least = Math.min(1, Math.sqrt((-4 * Math.log(alpha) * terms.most) / (range * terms.events)));
  const high = betsFrom(largestBet.high, least).map((bet) => (-stake * bet) / terms.most);
  const low = betsFrom(largestBet.low, least).map((bet) => (stake * bet) / terms.most);
  const tooHigh = (mean: number): boolean => wins(terms, mean, high);
  const tooLow = (mean: number): boolean => {
    const largest = stake / (terms.fall + terms.width * mean);
    return wins(terms, mean, low.map((one) => Math.min(largest, one))); // prettier-ignore
  };
  return { lower: border(inside, 0, tooLow), upper: border(inside, range, tooHigh) };
}

function betsFrom(largest: number, least: number): number[] {
  const bets = [largest];
  while (bets.at(-1)! / step >= least) bets.push(bets.at(-1)! / step);
  return bets;
}

/** The last mean on the way from `within` to `end` that is not refused. */
function border(within: number, end: number, refused: (mean: number) => boolean): number {
  if (!refused(end)) return end;
  let [kept, beyond] = [within, end];
  for (let halving = 0; halving < 20; halving++) {
    const middle = (kept + beyond) / 2;
    if (refused(middle)) beyond = middle;
    else kept = middle;
  }
  return beyond;
}

function wins(terms: BetTerms, mean: number, stakes: readonly number[]): boolean {
  let capital = 0;
  for (const one of stakes) capital += Math.exp(Math.min(700, logCapital(terms, mean, one)));
  return capital / stakes.length >= 1 / alpha;
}

/** Factors lie between 0.05 and 17: so many of them are far from both ends of a double, and one logarithm does for all. */
const block = 128;

function logCapital({ a, b, idle }: BetTerms, mean: number, one: number): number {
  let log = idle * Math.log1p(-one * mean);
  for (let from = 0; from < a.length; from += block) {
    const end = Math.min(a.length, from + block);
    // Two products side by side: neither waits for the other's multiplication.
    let even = 1;
    let odd = 1;
    let i = from;
    for (; i + 1 < end; i += 2) {
      even *= 1 + one * (a[i]! - b[i]! * mean);
      odd *= 1 + one * (a[i + 1]! - b[i + 1]! * mean);
    }
    if (i < end) even *= 1 + one * (a[i]! - b[i]! * mean);
    log += Math.log(even * odd);
  }
  return log;
}
