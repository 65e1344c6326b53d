import type { EpochMs, Tag } from '@sluice/domain';
import { priceOf } from './candidate.ts';
import { failedTiers, spentOn, type Remaining } from './eligibility.ts';

/** A tier that could answer next, at its price with the harm it is left with. */
export interface Continuation {
  readonly position: number;
  readonly harm: number;
  readonly score: number;
}

export function onwards(tag: Tag, position: number, harm: number): Continuation {
  const { tiers, threshold } = tag.slip;
  return { position, harm, score: priceOf(tiers[position]!) + (harm > 0 ? harm / threshold : 0) };
}

/** Of two equal scores the less harmful wins, so that rounding cannot favour a useless tier. */
export function better(one: Continuation, other: Continuation): boolean {
  return one.score < other.score || (one.score === other.score && one.harm < other.harm);
}

/** Time and budget are looked at again on every leg: waiting and running have used some of both. */
export function remainingOf(tag: Tag, now: EpochMs): Remaining {
  return remaining(tag, { now, spent: costSoFar(tag) });
}

/** The same where the tier at hand gave no answer: nothing is paid for it. */
export function remainingAfterFailure(tag: Tag, now: EpochMs): Remaining {
  return remaining(tag, { now, spent: spentOn(tag.slip, tag.answers) });
}

function remaining({ deadlineAt, slip, trail }: Tag, { now, spent }: { readonly now: EpochMs; readonly spent: number }): Remaining {
  const { budget } = slip;
  return { timeLeft: deadlineAt - now, budget: budget === null ? null : budget - spent, failed: failedTiers(trail) };
}

/** Costs of the tiers that answered for the user, the one at hand included. */
export function costSoFar({ slip, answers }: Tag): number {
  return slip.tiers[slip.position]!.cost + spentOn(slip, answers);
}
