import type { Answer, Millis, Slip, SlipTier, Step } from '@sluice/domain';
import { failureNamed, isRetry } from './failure.ts';
import { parseReason, type Reason } from './reason.ts';
import { listed } from './telling.ts';

/** Why a tier may not run for an event, in words; in the order in which they are looked for, and the first that applies is named. */
export const bars = {
  failed: 'had failed on it',
  down: 'was down',
  'switched-off': 'was switched off',
  schema: 'was not validated with the schema of this request',
  envelope: 'was not validated for such values',
  late: 'would have answered after the deadline',
  unpaid: 'cost more than the budget had left',
} as const;
export type Bar = keyof typeof bars;

/** What an event still has before its next leg. */
export interface Remaining {
  readonly timeLeft: Millis;
  /** Heavy = 1; null where every tier is paid for. */
  readonly budget: number | null;
  /** What became of it so far; left out: nothing. */
  readonly trail?: readonly Step[];
}

/** Sums of costs are compared with budgets made of the same costs. */
const rounding = 1e-9;

/** Why the tier may not take the next leg; undefined when it may. */
export function barOf(tier: SlipTier, { timeLeft, budget, trail }: Remaining): Bar | undefined {
  if (trail !== undefined && hasFailed(trail, tier.tier)) return 'failed';
  if (!(tier.cost + tier.queuePrice < Infinity)) return 'down';
  if (tier.bar !== '') return tier.bar as Bar;
  // A wait of 0 means that nobody knows it.
  if (tier.wait > 0 && tier.wait > timeLeft) return 'late';
  return budget === null || tier.cost <= budget + rounding ? undefined : 'unpaid';
}

/** Cost of the tiers that answered for the user. */
export function spentOn({ tiers }: Slip, answers: readonly Answer[]): number {
  let cost = 0;
  for (const answer of answers) cost += tiers.find((entry) => entry.tier === answer.tier)?.cost ?? 0;
  return cost;
}

/** Whether the tier failed on the event and no remembered answer stood in for it; not where it was to try again. */
export function hasFailed(trail: readonly Step[], tier: string): boolean {
  for (const step of trail) if (step.kind === 'fallback' && step.tier === tier && isFinal(parseReason(step.reason))) return true;
  return false;
}

function isFinal(reason: Reason): boolean {
  return failureNamed(reason.name) !== undefined && !isRetry(reason) && reason.detail?.startsWith('cached=') !== true;
}

/** What a trail keeps of barred tiers: `fast=late,standard=down`; undefined when there are none. */
export function formatBars(barred: readonly { readonly tier: string; readonly bar: Bar }[]): string | undefined {
  return barred.length === 0 ? undefined : barred.map(({ tier, bar }) => `${tier}=${bar}`).join(',');
}

/** The same for people: `fast (would have answered after the deadline) and standard (was down)`. */
export function sayBars(detail: string): string {
  const parts = detail.split(',').map((part) => {
    // Trails of earlier versions name the tiers alone: they were down.
    const [tier, bar = 'down'] = part.split('=');
    return `${tier} (${bars[bar as Bar] ?? bar})`;
  });
  return listed(parts);
}
