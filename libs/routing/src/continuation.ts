import type { Tag } from '@sluice/domain';
import { priceOf } from './candidate.ts';

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
