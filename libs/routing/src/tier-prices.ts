import type { Flow, Millis, SlipTier } from '@sluice/domain';

/** What is known of the tiers of a flow; all lists in the order of the tiers. */
export interface TierPrices {
  readonly flow: Flow;
  /** Cost of one event in any one unit. */
  readonly costs: readonly number[];
  readonly queuePrices: readonly number[];
  readonly waits?: readonly Millis[] | undefined;
  readonly bars?: readonly string[] | undefined;
}

/** Prices are the same lists for all events of a slice, and so are the tiers made of them. */
let last: { readonly prices: TierPrices; readonly tiers: readonly SlipTier[] } | undefined;

/** The tiers of a slip, prices in units of heavy's cost. Lists that were given once must not change afterwards, except for `bars`. */
export function pricedTiers(prices: TierPrices): readonly SlipTier[] {
  if (last === undefined || !isSame(last.prices, prices)) {
    const { flow, costs, queuePrices, waits } = prices;
    last = { prices: { flow, costs, queuePrices, waits }, tiers: priced(prices) };
  }
  const { tiers } = last;
  const { bars } = prices;
  if (bars === undefined || bars.every((bar) => bar === '')) return tiers;
  return tiers.map((tier, position) => ({ ...tier, bar: bars[position] ?? '' }));
}

function isSame(one: TierPrices, other: TierPrices): boolean {
  return one.flow === other.flow && one.costs === other.costs && one.queuePrices === other.queuePrices && one.waits === other.waits;
}

function priced({ flow, costs, queuePrices, waits }: TierPrices): SlipTier[] {
  const heavy = costs[flow.tiers.length - 1];
  const unit = heavy !== undefined && heavy > 0 && heavy < Infinity ? heavy : 1;
  return flow.tiers.map((tier, position) => ({
    tier: tier.name,
    model: tier.model,
    cost: known(costs[position]) / unit,
    queuePrice: known(queuePrices[position]) / unit,
    wait: waits?.[position] ?? 0,
    bar: '',
  }));
}

/** What nobody could measure counts as down, never as free. */
function known(price: number | undefined): number {
  return price === undefined || Number.isNaN(price) ? Infinity : price;
}
