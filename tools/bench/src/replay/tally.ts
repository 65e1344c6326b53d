/** One run in three figures, all in percent. */
export interface Tally {
  /** Events that heavy would have got right and the served answer got wrong. */
  readonly loss: number;
  /** The same over the worst 5,000 consecutive events. */
  readonly worst: number;
  /** Cost against always-heavy, shadow runs included. */
  readonly cost: number;
}

const windowLength = 5000;

/** @param costs per event, heavy = 1. */
export function tallyOf(harmed: Uint8Array, costs: Float64Array): Tally {
  return { loss: (100 * sum(harmed)) / harmed.length, worst: 100 * worstWindow(harmed), cost: (100 * sum(costs)) / costs.length };
}

function sum(series: Uint8Array | Float64Array): number {
  let total = 0;
  for (const value of series) total += value;
  return total;
}

function worstWindow(series: Uint8Array): number {
  const width = Math.min(windowLength, series.length);
  let inside = 0;
  let worst = 0;
  for (let i = 0; i < series.length; i++) {
    inside += series[i]! - (i >= width ? series[i - width]! : 0);
    if (i >= width - 1) worst = Math.max(worst, inside);
  }
  return worst / width;
}
