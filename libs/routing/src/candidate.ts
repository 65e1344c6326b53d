import type { SlipTier } from '@sluice/domain';
import type { Bar } from './eligibility.ts';
import { harmFloor, logit, sigmoid } from './heads.ts';

/** A tier as the decision sees it. Prices are in units of the heavy tier's cost. */
export interface Candidate {
  /** Index in the slip; the last one is heavy. */
  readonly position: number;
  /** Cost plus queue price: what one event pays there now. */
  readonly price: number;
  /** Estimated probability that the tier errs where heavy is right; 0 for heavy. */
  readonly harm: number;
  /** Why it may not run; undefined for an open tier. */
  readonly bar: Bar | undefined;
}

export function isOpen(candidate: Candidate): boolean {
  return candidate.bar === undefined;
}

/** Keeps a useless tier from being tried: whatever it offers, another open tier offers at no higher price and no higher harm. */
export function isDominated(candidate: Candidate, all: readonly Candidate[]): boolean {
  for (let i = 0; i < all.length; i++) if (isOpen(all[i]!) && dominates(all[i]!, candidate)) return true;
  return false;
}

function dominates(other: Candidate, one: Candidate): boolean {
  if (!(other.price <= one.price && other.harm <= one.harm)) return false;
  // Of two equals the lighter stays, except that heavy is never given up for its equal.
  return other.price < one.price || other.harm < one.harm || other.position < one.position;
}

export function priceOf(tier: SlipTier): number {
  return tier.cost + tier.queuePrice;
}

/**
 * Harm of a tier that has not run, after another tier's answer was seen: its log-odds move by as much as the answer moved
 * those of the tier that gave it. The output tells how hard the event is, and a hard event is hard for every tier; without
 * this a middle tier looks as good on the events that the fast tier gave up as it is on all events.
 */
export function harmAfterAnswer(harm: number, before: number, after: number): number {
  const shifted = sigmoid(clippedLogit(harm) + clippedLogit(after) - clippedLogit(before));
  return Math.max(harmFloor, shifted);
}

function clippedLogit(harm: number): number {
  return logit(Math.min(1 - harmFloor, Math.max(harmFloor, harm)));
}
