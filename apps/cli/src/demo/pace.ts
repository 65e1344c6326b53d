/**
 * How many events are due after `elapsedMs` at `perSecond`, and when to look again. A rate of Infinity means as fast as
 * the broker takes them.
 */
export function due(perSecond: number, elapsedMs: number): number {
  return perSecond === Infinity ? Infinity : Math.floor((perSecond * elapsedMs) / 1000) + 1;
}

/** Reads the --rate option. */
export function parseRate(text: string): number {
  if (text === 'max') return Infinity;
  const rate = Number(text);
  return Number.isFinite(rate) && rate > 0 ? rate : Number.NaN;
}
