import type { Answer, Flow, PolicySnapshot, Prediction, SparseRow, Tag } from '@sluice/domain';
import { afterAnswer, escalatedTag, route, servedPrediction } from '@sluice/routing';

/** An event of which everything is known: what each tier of the flow would answer, and the truth. */
export interface KnownEvent {
  readonly id: string;
  readonly signature: SparseRow;
  /** One per tier, cheapest first. */
  readonly answers: readonly Answer[];
  readonly truth: number;
  /** Left out: ''. */
  readonly segment?: string | undefined;
}

export interface Served {
  readonly prediction: Prediction;
  /** Answers of shadow runs, where the event is audited. */
  readonly shadows: readonly Answer[];
}

export interface Serving {
  readonly flow: Flow;
  readonly signatureWidth: number;
  /** Cost of one event on each tier; heavy's is the unit. */
  readonly costs: readonly number[];
}

/** An event of which some tiers' answers are not known. */
export interface PartlyKnownEvent extends Omit<KnownEvent, 'answers'> {
  readonly answers: readonly (Answer | undefined)[];
}

/** Serves an event as router and workers do, by their own functions; undefined when a tier is asked whose answer is not known. */
export function serve(serving: Serving, policy: PolicySnapshot, event: KnownEvent): Served;
export function serve(serving: Serving, policy: PolicySnapshot, event: PartlyKnownEvent): Served | undefined;
export function serve({ flow, signatureWidth, costs }: Serving, policy: PolicySnapshot, event: PartlyKnownEvent): Served | undefined {
  const { id, signature, segment } = event;
  const decision = route({ id, flow, policy, costs, queuePrices: costs.map(() => 0), signature, signatureWidth, segment, now: 0 });
  const source = { topic: `${flow.flow}.requests`, partition: 0, offset: 0 };
  const times = { requestedAt: 0, routedAt: 0, deadlineAt: 0 };
  const { slip, propensity, step } = decision;
  const decided = { policyVersion: policy.version, schema: 0, shadow: false, propensity, slip, signature, trail: [step], answers: [] };
  let tag: Tag = { id, flow: flow.flow, source, ...times, ...decided };
  for (;;) {
    const answer = event.answers[tag.slip.position];
    if (answer === undefined) return undefined;
    const verdict = afterAnswer({ flow, signatureWidth, tag, policy, answer, now: 0 });
    if (verdict.kind === 'stop') {
      const shadows = event.answers.filter((other): other is Answer => other !== undefined && verdict.audit.tiers.includes(other.tier));
      return { prediction: servedPrediction(flow, { tag, answer, decision: verdict }), shadows };
    }
    tag = escalatedTag(tag, answer, verdict);
  }
}
