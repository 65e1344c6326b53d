import type { Answer, Flow, Prediction, Tag } from '@sluice/domain';
import type { Escalate, Stop } from './stop.ts';

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
