import type { Answer, EpochMs, Flow, PolicyVersion, Prediction, Tag } from '@sluice/domain';
import { priceOf } from './candidate.ts';
import { barOf, spentOn } from './eligibility.ts';
import { formatReason } from './reason.ts';
import type { Escalate, Stop } from './stop.ts';
import type { Teller } from './telling.ts';

/** The tag for the next tier: the answer joins the others, the step joins the trail, the slip moves on. */
export function escalatedTag(tag: Tag, answer: Answer, decision: Escalate): Tag {
  return {
    ...tag,
    slip: { ...tag.slip, position: decision.position },
    trail: [...tag.trail, decision.step],
    answers: [...tag.answers, answer],
  };
}

/** Tags for the unseen runs of an audited event, one for each tier in `decision.audit.tiers`. */
export function shadowTags(tag: Tag, decision: Stop): Tag[] {
  return decision.audit.tiers.map((tier) => {
    const position = tag.slip.tiers.findIndex((entry) => entry.tier === tier);
    return { ...tag, shadow: true, slip: { ...tag.slip, position }, answers: [] };
  });
}

/** The record that consumers read: what was served, what it cost, and every decision made on the way. */
export function servedPrediction(flow: Flow, input: { readonly tag: Tag; readonly answer: Answer; readonly decision: Stop }): Prediction {
  const { tag, answer, decision } = input;
  const { probability, drawn } = decision.audit;
  return {
    id: tag.id,
    flow: tag.flow,
    source: tag.source,
    requestedAt: tag.requestedAt,
    routedAt: tag.routedAt,
    deadlineAt: tag.deadlineAt,
    policyVersion: tag.policyVersion,
    tier: answer.tier,
    model: answer.model,
    version: answer.version,
    label: flow.labels[decision.label] ?? String(decision.label),
    confidence: decision.confidence,
    harm: decision.harm,
    cost: decision.cost,
    propensity: tag.propensity,
    slip: tag.slip,
    audit: { probability, drawn },
    signature: tag.signature,
    trail: [...tag.trail, decision.step],
    answers: [...tag.answers, answer],
  };
}

/**
 * The tag of an event whose tier could not answer, on its way to heavy: quality is kept, the cost is not. Where the budget comes first it goes to
 * the heaviest tier that is paid for, and when none is to the cheapest: an answer is owed. Undefined when heavy itself failed
 * and there is nowhere to go.
 */
export function fallbackTag(tag: Tag, at: { readonly policyVersion: PolicyVersion; readonly now: EpochMs }): Tag | undefined {
  const { slip } = tag;
  const heavy = slip.tiers.length - 1;
  if (slip.position >= heavy) return undefined;
  const position = fallbackPosition(tag, at.now);
  const step = {
    kind: 'fallback' as const,
    tier: slip.tiers[slip.position]!.tier,
    harm: 0,
    score: priceOf(slip.tiers[position]!),
    reason: formatReason({ name: modelFailed.name, detail: slip.tiers[position]!.tier }),
    at: at.now,
    policyVersion: at.policyVersion,
  };
  return { ...tag, slip: { ...slip, position }, trail: [...tag.trail, step] };
}

function fallbackPosition({ slip, answers, deadlineAt }: Tag, now: EpochMs): number {
  const heavy = slip.tiers.length - 1;
  if (slip.budget === null || slip.heavyOnly) return heavy;
  const budget = slip.budget - spentOn(slip, answers);
  const above = slip.tiers.map((tier, position) => ({ tier, position })).slice(slip.position + 1);
  const paid = above.findLast(({ tier }) => barOf(tier, { timeLeft: deadlineAt - now, budget }) === undefined);
  if (paid !== undefined) return paid.position;
  const working = above.filter(({ tier }) => barOf(tier, { timeLeft: Infinity, budget: null }) === undefined);
  return working.reduce((best, one) => (one.tier.cost < best.tier.cost ? one : best), working[0] ?? above.at(-1)!).position;
}

/** Says why a tier that was tried gave no answer. */
export const modelFailed: Teller = {
  name: 'model-failed',
  say: ({ step, detail }) => `The ${step.tier} tier's model failed on it, so it went on to the ${detail ?? 'heaviest'} tier.`,
};
