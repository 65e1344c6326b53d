import type { EpochMs, Tag } from '@sluice/domain';
import { priceOf } from './candidate.ts';
import { spentOn, type Remaining } from './eligibility.ts';

/** A tier that could answer next, at its price with the harm it is left with. */
export interface Continuation {
  readonly position: number;
  readonly harm: number;
  readonly score: number;
}

/** One for each position, made once and filled for each answer. */
const pool: { -readonly [K in keyof Continuation]: Continuation[K] }[] = [];

/** Holds until the next call for the same position. */
export function onwards({ slip: { tiers, threshold } }: Tag, position: number, harm: number): Continuation {
  const one = (pool[position] ??= { position, harm: 0, score: 0 });
  one.harm = harm;
  one.score = priceOf(tiers[position]!) + (harm > 0 ? harm / threshold : 0);
  return one;
}

/** Of two equal scores the less harmful wins, so that rounding cannot favour a useless tier. */
export function better(one: Continuation, other: Continuation): boolean {
  return one.score < other.score || (one.score === other.score && one.harm < other.harm);
}

/** Time and budget are looked at again on every leg: waiting and running have used some of both. */
export function remainingOf(tag: Tag, now: EpochMs): Remaining {
  return remaining(tag, now, costSoFar(tag));
}

/** The same where the tier at hand gave no answer: nothing is paid for it. */
export function remainingAfterFailure(tag: Tag, now: EpochMs): Remaining {
  return remaining(tag, now, spentOn(tag.slip, tag.answers));
}

function remaining({ deadlineAt, slip: { budget }, trail }: Tag, now: EpochMs, spent: number): Remaining {
  return { timeLeft: deadlineAt - now, budget: budget === null ? null : budget - spent, trail };
}

/** Costs of the tiers that answered for the user, the one at hand included. */
export function costSoFar({ slip, answers }: Tag): number {
  return slip.tiers[slip.position]!.cost + spentOn(slip, answers);
}
