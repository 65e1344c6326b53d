import type { EventId, Example, PolicySnapshot, Prediction } from '@sluice/domain';
import { isHarm } from '../evidence.ts';
import { serve, type Serving } from '../serve.ts';
import { ValueSums, type Outcome, type PolicyValue, type ValuedEvent } from './value-sums.ts';

export interface ValueSpec extends Serving {
  /**
   * The policy under which the candidate would have decided an event; undefined leaves the event out. It must not have learned from the event
   * or from later ones, or the log flatters it.
   */
  readonly policy: (decision: Example) => PolicySnapshot | undefined;
}

/**
 * Values a candidate on the examples of a log before it serves (docs/routing.md 3e). With the logged probability an audit shows what every tier
 * answers, hence what the candidate would have served; that probability is the propensity of all three estimates. It is above 0 for
 * every event by design, so every candidate has overlap.
 *
 * Answers and costs are those of the log with idle queues: a candidate changes who answers, not what they answer.
 */
export function valueOf(spec: ValueSpec, log: Iterable<Example>): PolicyValue {
  const sums = new ValueSums(dearestOf(spec));
  for (const { decision, latest } of eventsOf(log)) {
    const policy = spec.policy(decision);
    if (policy !== undefined) sums.add(valuedEvent(spec, policy, { decision, latest }));
  }
  return sums.value;
}

/** Every tier once. */
function dearestOf({ costs }: Serving): number {
  return costs.reduce((sum, cost) => sum + cost, 0) / costs[costs.length - 1]!;
}

export interface LoggedEvent {
  readonly decision: Example;
  /** Its last part so far: the one that knows most. */
  readonly latest: Example;
}

export function valuedEvent(spec: Serving, policy: PolicySnapshot, { decision, latest }: LoggedEvent): ValuedEvent {
  const complete = latest.answers.length >= spec.flow.tiers.length;
  const predicted = outcomeOf(spec, policy, decision);
  return { ...decision.audit, predicted, actual: complete ? actualOutcome(spec, policy, latest) : undefined };
}

function actualOutcome(spec: Serving, policy: PolicySnapshot, example: Example): Outcome | undefined {
  const outcome = outcomeOf(spec, policy, example);
  const { flow } = spec;
  const heavy = example.answers.find(({ tier }) => tier === flow.tiers[flow.tiers.length - 1]!.name);
  if (outcome === undefined || heavy === undefined) return undefined;
  const { prediction } = outcome;
  return { harm: isHarm(flow.labels.indexOf(prediction.label), heavy, example.truth) ? 1 : 0, cost: outcome.cost };
}

/** Undefined when the candidate asks a tier whose answer is not known. */
function outcomeOf(
  spec: Serving,
  policy: PolicySnapshot,
  { id, signature, segment, answers }: Example,
): (Outcome & { readonly prediction: Prediction }) | undefined {
  const byTier = spec.flow.tiers.map(({ name }) => answers.find(({ tier }) => tier === name));
  const served = serve(spec, policy, { id, signature, segment, answers: byTier, truth: 0 });
  if (served === undefined) return undefined;
  const { prediction } = served;
  return { prediction, harm: prediction.harm, cost: prediction.cost + prediction.audit.probability * costNotRun(spec, prediction) };
}

function costNotRun({ flow, costs }: Serving, { answers }: Prediction): number {
  const ran = new Set(answers.map(({ tier }) => tier));
  const unit = costs[costs.length - 1]!;
  return flow.tiers.reduce((sum, { name }, tier) => sum + (ran.has(name) ? 0 : costs[tier]! / unit), 0);
}

/** The events of a log in the order of their decisions. */
function eventsOf(log: Iterable<Example>): Iterable<LoggedEvent> {
  const events = new Map<EventId, LoggedEvent>();
  for (const example of log) {
    const known = events.get(example.id);
    if (known !== undefined) events.set(example.id, { decision: known.decision, latest: example });
    else if (example.part === 'decision') events.set(example.id, { decision: example, latest: example });
  }
  return events.values();
}
