/**
 * Learning from feedback: the join of predictions, shadow answers and outcomes, and the fold of joined examples into a policy.
 * Pure and deterministic: no I/O, no clock, no randomness.
 *
 * @example
 * const learner = Learner.open(flow, { signatureWidth: signature.width, snapshot: lastSnapshot });
 * for (const example of examples) learner.fold(example);
 * publish(learner.snapshot(nextOffset)); // sluice.policy, key = flow
 */
export { Learner, type OpenInput } from './learner.ts';
export { isLabelled, labelledExample } from './labelled-sample.ts';
export { policiesAt } from './history.ts';
export type { ConfidenceError } from './confidence/confidence-calibrator.ts';
export type { LearnerStats } from './learner-stats.ts';
export { thetaStart } from './risk-controller.ts';
export { lossBound, safeEnd, samplingWidth, type LossBound, type LossBoundInput } from './loss-bound.ts';
export { valueOf, type ValueSpec } from './value/off-policy.ts';
export type { PolicyValue } from './value/value-sums.ts';
export type { Estimate, Estimates } from './value/estimate.ts';
export { JoinState, type JoinCounts, type JoinStep, type UnmatchedOutcome } from './join/join-state.ts';
export { factKinds, readFact, type Fact, type FactKind, type FactRecord } from './join/fact.ts';
export { mapStore, type JoinChange, type JoinStore } from './join/store.ts';
