import type { Millis } from './brand.ts';
import type { FallbackWay, Flow } from './flow.ts';

/** Whether events of the flow are ever put aside to be tried again. */
export function retries(flow: Flow): boolean {
  return flow.tiers.some(({ name }) => fallbacksOf(flow, name).includes('retry'));
}

/** A delay in the largest unit that it is a whole number of: `5s`, `1m`, `1500ms`. */
export function delayText(ms: Millis): string {
  const units = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const [name, size] = units.find(([, unit]) => ms % unit === 0) ?? ['ms', 1];
  return `${ms / size}${name}`;
}

/** What is declared for an event to which the tier gives no answer. */
export function fallbacksOf(flow: Flow, tier: string): readonly FallbackWay[] {
  return flow.tiers.find(({ name }) => name === tier)?.fallback ?? flow.fallback;
}
