import type { Answer, EpochMs, Example, ExamplePart, Flow, Prediction } from '@sluice/domain';
import type { JoinEntry, StoredOutcome } from './entry.ts';

/** What one event's facts lead to; the rules of the join, free of stores, clocks and order of expiry. */
export interface Emission {
  readonly entry: JoinEntry;
  readonly examples: readonly Example[];
  /** Outcomes that do not belong to the window of their prediction. */
  readonly unmatched: readonly StoredOutcome[];
}

export function decisionOf(flow: Flow, prediction: Prediction): Example {
  const served = flow.labels.indexOf(prediction.label);
  return {
    id: prediction.id,
    part: 'decision',
    policyVersion: prediction.policyVersion,
    at: prediction.requestedAt,
    tier: prediction.tier,
    harm: prediction.harm,
    cost: prediction.cost,
    heavyOnly: prediction.slip.heavyOnly,
    segment: prediction.slip.segment,
    source: prediction.source,
    audit: { probability: prediction.audit.probability, drawn: prediction.audit.drawn },
    served: served < 0 ? null : served,
    truth: null,
    signature: prediction.signature,
    answers: prediction.answers,
  };
}

/** True when no shadow answer is awaited: none was drawn, or all tiers have answered. */
export function isComplete(flow: Flow, { decision, shadows }: JoinEntry): boolean {
  if (decision === undefined) return false;
  return !decision.audit.drawn || flow.tiers.every(({ name }) => [...decision.answers, ...shadows].some((answer) => answer.tier === name));
}

/** Emits every part that has become due: the shadow part once, then the truth. */
export function advance(flow: Flow, entry: JoinEntry, windowMs: number): Emission {
  const { decision } = entry;
  if (decision === undefined || entry.done) return { entry, examples: [], unmatched: [] };
  const stranger = entry.outcome !== undefined && Math.abs(entry.outcome.at - decision.at) > windowMs ? entry.outcome : undefined;
  let next: JoinEntry = stranger === undefined ? entry : { ...entry, outcome: undefined };
  const examples: Example[] = [];
  const complete = isComplete(flow, next);
  if (complete && !next.shadowed && next.shadows.length > 0) {
    examples.push(partOf(next, 'shadow'));
    next = { ...next, shadowed: true };
  }
  if (complete && next.outcome !== undefined) {
    examples.push(partOf(next, 'truth'));
    next = { expiry: next.expiry, done: true, shadowed: false, decision: undefined, shadows: [], outcome: undefined };
  }
  return { entry: next, examples, unmatched: stranger === undefined ? [] : [stranger] };
}

/** What an entry still has to say when its window ends. */
export function atExpiry(entry: JoinEntry): Omit<Emission, 'entry'> {
  const { decision, outcome } = entry;
  if (entry.done) return { examples: [], unmatched: [] };
  if (decision === undefined) return { examples: [], unmatched: outcome === undefined ? [] : [outcome] };
  return { examples: [partOf(entry, outcome === undefined ? 'unlabelled' : 'truth')], unmatched: [] };
}

/** Answers in the order they ran for the user, then those of shadow runs in tier order. */
function partOf({ decision, shadows, outcome }: JoinEntry, part: ExamplePart): Example {
  const truth = part === 'truth' ? outcome!.truth : null;
  const at: EpochMs = part === 'truth' ? outcome!.at : decision!.at;
  return { ...decision!, part, at, truth, answers: [...decision!.answers, ...shadows] };
}

/** The shadow answers with one more, in tier order; undefined when the tier is known already or is none of the flow's. */
export function withShadow(flow: Flow, { decision, shadows }: JoinEntry, answer: Answer): readonly Answer[] | undefined {
  const order = flow.tiers.map((tier) => tier.name);
  const known = [...(decision?.answers ?? []), ...shadows].some((other) => other.tier === answer.tier);
  if (known || !order.includes(answer.tier)) return undefined;
  return [...shadows, answer].sort((a, b) => order.indexOf(a.tier) - order.indexOf(b.tier));
}
