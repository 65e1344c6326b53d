import type { EventId } from './brand.ts';
import { keyedUniform } from './hash.ts';

/** A drill: from one event on, a share of one model's answers is silently wrong while its confidence stays as it was. */
export interface WrongAnswers {
  readonly rate: number;
  /** Ids end in a running number; events below this one are untouched. */
  readonly fromSequence: number;
  readonly key: number;
}

/**
 * The label that a drilled model answers instead of `label`: a pure function of event id and drill, so that a replay, or a
 * count of what the tier alone would have got, finds the same wrong answers.
 */
export function drilledLabel(id: EventId, label: number, at: { readonly drill: WrongAnswers; readonly labels: number }): number {
  const sequence = Number(/(\d+)$/.exec(id)?.[1] ?? -1);
  if (sequence < at.drill.fromSequence || keyedUniform(id, at.drill.key) >= at.drill.rate) return label;
  const shift = 1 + Math.floor(keyedUniform(id, at.drill.key + 1) * (at.labels - 1));
  return (label + shift) % at.labels;
}
