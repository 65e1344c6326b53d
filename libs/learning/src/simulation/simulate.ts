import type { Example, PolicySnapshot } from '@sluice/domain';
import { initialPolicy } from '@sluice/routing';
import { decisionOf } from '../join/join-event.ts';
import { labelledExample } from '../labelled-sample.ts';
import { Learner } from '../learner.ts';
import { serve, type KnownEvent, type Serving } from '../serve.ts';

export interface SimulationSpec extends Serving {
  readonly events: readonly KnownEvent[];
  /** Events known before the stream began; left out: none. */
  readonly sample?: readonly KnownEvent[];
  /** Events between a decision and its shadow answers, and its truth. */
  readonly shadowDelay: number;
  readonly truthDelay: number;
  /** Events between two published policies. */
  readonly publishEvery: number;
  /** Which events never get a truth; they become unlabelled after twice the delay. */
  readonly withoutTruth?: (index: number) => boolean;
  /** Called with each example before it is folded; for tests that meddle. */
  readonly fold?: (learner: Learner, example: Example) => Learner;
}

export interface Simulation {
  readonly learner: Learner;
  /** Per event: 1 where the served answer was wrong and heavy's right. */
  readonly harmed: Uint8Array;
  /** Per event: 1 where the served answer was wrong. */
  readonly wrong: Uint8Array;
  /** Per event, heavy = 1: what the user's answer cost, and what shadow runs cost besides. */
  readonly cost: Float64Array;
  readonly shadowCost: Float64Array;
  readonly thetas: Float64Array;
  /** Smallest probability with which a lightly served event was to be audited. */
  readonly pMin: number;
}

/** Plays a stream of which everything is known through the serving functions and the learner, feedback late as declared. */
export function simulate(spec: SimulationSpec): Simulation {
  const { events, flow, costs } = spec;
  const count = events.length;
  const result = {
    harmed: new Uint8Array(count),
    wrong: new Uint8Array(count),
    cost: new Float64Array(count),
    shadowCost: new Float64Array(count),
    thetas: new Float64Array(count),
  };
  const unit = costs[costs.length - 1]!;
  const heavy = flow.tiers[flow.tiers.length - 1]!.name;
  const costOf = (tier: string): number => costs[flow.tiers.findIndex((entry) => entry.name === tier)]! / unit;
  const due = new Map<number, Example[]>();
  const later = (at: number, example: Example): void => void due.set(at, [...(due.get(at) ?? []), example]);
  const fold = spec.fold ?? ((into: Learner, example: Example) => (into.fold(example), into));
  let learner = Learner.create(
    flow,
    spec.signatureWidth,
    costs.map((cost) => cost / unit),
  );
  const { sample = [] } = spec;
  for (const event of sample) learner = fold(learner, labelledExample(event, 0));
  let policy: PolicySnapshot = sample.length > 0 ? learner.snapshot(sample.length) : initialPolicy(flow);
  let pMin = 1;
  for (const [index, event] of events.entries()) {
    for (const example of due.get(index) ?? []) learner = fold(learner, example);
    due.delete(index);
    if (index % spec.publishEvery === 0 && index > 0) policy = learner.snapshot(index);
    const { prediction, shadows } = serve(spec, policy, event);
    const reference = event.answers[event.answers.length - 1]!;
    const served = flow.labels.indexOf(prediction.label);
    if (prediction.tier !== heavy) pMin = Math.min(pMin, prediction.audit.probability);
    result.wrong[index] = served === event.truth ? 0 : 1;
    result.harmed[index] = served !== event.truth && reference.label === event.truth ? 1 : 0;
    result.cost[index] = prediction.cost;
    result.shadowCost[index] = shadows.reduce((sum, answer) => sum + costOf(answer.tier), 0);
    const decision = decisionOf(flow, prediction);
    learner = fold(learner, decision);
    const compared = { ...decision, answers: [...decision.answers, ...shadows] };
    if (shadows.length > 0) later(index + Math.max(1, spec.shadowDelay), { ...compared, part: 'shadow' });
    if (spec.withoutTruth?.(index) === true) later(index + 2 * Math.max(1, spec.truthDelay), { ...compared, part: 'unlabelled' });
    else later(index + Math.max(1, spec.truthDelay), { ...compared, part: 'truth', truth: event.truth });
    result.thetas[index] = learner.stats.theta;
  }
  return { ...result, learner, pMin };
}

/** Mean of a per-event series, also over a part of it. */
export function meanOf(series: Uint8Array | Float64Array, from = 0, to = series.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += series[i]!;
  return sum / Math.max(1, to - from);
}
