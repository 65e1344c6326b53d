import type { EpochMs, EventId, Millis, PolicyVersion } from './brand.ts';
import type { SegmentPolicy } from './segment.ts';

/** Where a record was read: unique for ever within one cluster. */
export interface Source {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * A sparse row of features: `indices[i]` holds `values[i]`, all other columns are 0. Indices rise strictly.
 * Travels in tags and predictions as bytes (see `encodeSparse` in contracts).
 */
export interface SparseRow {
  readonly indices: Uint16Array;
  readonly values: Float32Array;
}

/** Tiers from the cheapest to the heaviest with what they cost at the time of the decision; heavy costs 1. */
export interface SlipTier {
  readonly tier: string;
  readonly model: string;
  /** Cost of one event relative to the heavy tier. */
  readonly cost: number;
  /** Price of waiting, in the unit of cost: 0 when idle, infinite (encoded as null) when the tier is down. */
  readonly queuePrice: number;
  /** Expected time until its answer, waiting included; 0 when nobody knows. */
  readonly wait: Millis;
  /** Why the tier may not run for this event, a name of `bars` in `@sluice/routing`; empty when it may. */
  readonly bar: string;
}

/** The plan a worker carries out without asking the router again. */
export interface Slip {
  readonly tiers: readonly SlipTier[];
  /** Index into `tiers` of the tier this record is on its way to. */
  readonly position: number;
  /** Which segment of the flow the event belongs to; empty where the flow names none. */
  readonly segment: string;
  /** Stop threshold tau, that of the segment: an answer is final when its expected harm over tau costs less than going on. */
  readonly threshold: number;
  /** True in warm-up and at the safe end of the flow or of the segment: only the heavy tier's answer may be served. */
  readonly heavyOnly: boolean;
  readonly auditRate: number;
  /** Uniform draw in [0, 1) from a keyed hash of event id and policy version; an audit happens when it is below the audit probability. */
  readonly auditDraw: number;
  /** What all tiers that run for the user may cost together, heavy = 1; null where all of them are paid for, audit included. */
  readonly budget: number | null;
}

export const stepKinds = ['rule', 'route', 'stop', 'escalate', 'audit', 'fallback'] as const;
export type StepKind = (typeof stepKinds)[number];

/** One decision in the trail of an event. `harm` is the estimated probability that this tier errs where heavy is right. */
export interface Step {
  readonly kind: StepKind;
  readonly tier: string;
  readonly harm: number;
  /** Expected total cost of the chosen action, harm over threshold included. */
  readonly score: number;
  /** Name of the rule, or a short machine-readable reason such as `cheapest`, `uncertain`, `heavy-only`. */
  readonly reason: string;
  readonly at: EpochMs;
  /** Version of the policy that this step was decided with; a worker may already hold a newer one than the router did. */
  readonly policyVersion: PolicyVersion;
}

/** What one tier answered. Shadow answers never reach the user. */
export interface Answer {
  readonly tier: string;
  readonly model: string;
  readonly version: string;
  /** Index into the flow's labels. */
  readonly label: number;
  /** Largest softmax output, in [0, 1]. */
  readonly confidence: number;
  /** Difference of the two largest outputs. */
  readonly margin: number;
  /** Entropy of the outputs in nats. */
  readonly entropy: number;
}

/** The router's decision, carried in the `sluice-tag` header of every record on a model topic. */
export interface Tag {
  readonly id: EventId;
  readonly flow: string;
  /** Coordinates of the original request. */
  readonly source: Source;
  /** Time stamp of the request record. */
  readonly requestedAt: EpochMs;
  /** The now-stamp the decision was made with. */
  readonly routedAt: EpochMs;
  readonly deadlineAt: EpochMs;
  readonly policyVersion: PolicyVersion;
  /** Index of the writer schema in the flow's `request.schemas`. */
  readonly schema: number;
  /** True when this copy runs unseen by the user; its answer goes to the shadow topic. */
  readonly shadow: boolean;
  /** Probability with which the action that was taken was chosen. */
  readonly propensity: number;
  readonly slip: Slip;
  readonly signature: SparseRow;
  readonly trail: readonly Step[];
  /** Answers of the tiers that already ran. */
  readonly answers: readonly Answer[];
}

/** One served answer: the record consumers read on `<flow>.predictions`, key = id. */
export interface Prediction {
  readonly id: EventId;
  readonly flow: string;
  readonly source: Source;
  readonly requestedAt: EpochMs;
  readonly routedAt: EpochMs;
  /** 0 in records of earlier versions. */
  readonly deadlineAt: EpochMs;
  readonly policyVersion: PolicyVersion;
  readonly tier: string;
  readonly model: string;
  readonly version: string;
  readonly label: string;
  readonly confidence: number;
  /** Estimated probability that heavy would have been right where this answer is wrong; 0 when heavy served. */
  readonly harm: number;
  /** Cost of all tiers that ran for the user, relative to heavy = 1; shadow runs are not in it. */
  readonly cost: number;
  readonly propensity: number;
  /** The plan as it stood when the answer was served: with trail and answers it gives every decision again. */
  readonly slip: Slip;
  /** Probability with which this event was to be audited, and whether it was. */
  readonly audit: { readonly probability: number; readonly drawn: boolean };
  readonly signature: SparseRow;
  readonly trail: readonly Step[];
  readonly answers: readonly Answer[];
}

/** What a tier would have answered: `<flow>.shadow`, key = id. */
export interface ShadowAnswer {
  readonly id: EventId;
  readonly flow: string;
  readonly source: Source;
  readonly answer: Answer;
}

/** Ground truth or a user's report: `<flow>.outcomes`, key = id. */
export interface Outcome {
  readonly id: EventId;
  readonly label: string;
  /** Event time of the outcome. */
  readonly at: EpochMs;
  readonly origin: 'truth' | 'report';
}

export const exampleParts = ['decision', 'shadow', 'truth', 'unlabelled'] as const;
export type ExamplePart = (typeof exampleParts)[number];

/**
 * One piece of feedback, `<flow>.examples`, applied by the learner in log order and at most once per (id, part):
 * `decision` when the prediction is seen, `shadow` when every shadow answer of an audited event is in, `truth` when the
 * outcome is joined, `unlabelled` when window and grace end without one.
 */
export interface Example {
  readonly id: EventId;
  readonly part: ExamplePart;
  readonly policyVersion: PolicyVersion;
  /** Event time: the request's for a decision, the outcome's for truth. */
  readonly at: EpochMs;
  readonly tier: string;
  readonly harm: number;
  readonly cost: number;
  readonly heavyOnly: boolean;
  /** Empty where the flow names no segments. */
  readonly segment: string;
  /** The request; null in records of earlier versions, and where nobody was served. */
  readonly source: Source | null;
  readonly audit: { readonly probability: number; readonly drawn: boolean };
  /** Index of the label that was served; null in records from before answers were fused, when it was the serving tier's. */
  readonly served: number | null;
  /** Label index of the outcome; null unless part is `truth`. */
  readonly truth: number | null;
  readonly signature: SparseRow;
  /** Answers known so far: those given to the user in the order they ran (the serving tier's last), then those of shadow runs in tier order. */
  readonly answers: readonly Answer[];
}

/** Logistic weights of one head: probability of harm for one tier, before (`route`) or after (`stop`) it ran. */
export interface Head {
  readonly tier: string;
  readonly stage: 'route' | 'stop';
  readonly weights: Float32Array;
}

/**
 * What is learned about a set of tiers that answered the same event: which label their answers add up to, and what to expect of it.
 * Logistic weights over the row that `panelRow` in routing makes; their layout stands there.
 */
export interface Panel {
  /** The tiers, in the order of the flow. */
  readonly tiers: readonly string[];
  /** Weights of the posterior over the labels. */
  readonly votes: Float32Array;
  /** Harm of the fused answer; empty where `risks[0]` is the harm, and where heavy is one of the tiers. */
  readonly harm: Float32Array;
  /** Risk of serving the fused answer, then that of the answer fused after one tier more, for each tier of the flow that is missing here; empty where heavy is final. */
  readonly risks: readonly Float32Array[];
  /** For each ordered pair (j, i) of missing tiers two figures: how the gain of asking i moves once j has spoken, on average and in spread. */
  readonly gains: Float32Array;
}

/** The loss since control began or the latest alarm: estimated, and with 95 % confidence at every moment at once between `lower` and `upper`. */
export interface CertifiedLoss {
  /** Events that it is about. */
  readonly events: number;
  /** Shares of these events, in [0, 1]. */
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/** What the learner publishes to `sluice.policy`, key = flow. Router and workers read the first part, the learner restores from all of it. */
export interface PolicySnapshot {
  readonly flow: string;
  readonly version: PolicyVersion;
  /** Offset in `<flow>.examples` after the last example folded. */
  readonly examplesOffset: number;
  /** Stop threshold tau = exp(theta). */
  readonly threshold: number;
  readonly heavyOnly: boolean;
  /** Why `heavyOnly` holds, or `controlled` / `static`. */
  readonly reason: string;
  readonly auditRate: number;
  readonly heads: readonly Head[];
  /** One for each set of tiers, once enough audited events were seen; else none. */
  readonly panels: readonly Panel[];
  /** The learner's complete state, opaque to everyone else. */
  readonly learner: Uint8Array;
  /** Null before control begins. */
  readonly certificate: CertifiedLoss | null;
  /** Null unless the flow's budget is its primary target. */
  readonly budgetLeft: BudgetLeft | null;
  /** Empty where the flow names none, and before control begins. */
  readonly segments: readonly SegmentPolicy[];
  /** For each partition of the request topic the offset after the newest request of which an answer was folded; 0 where none was. */
  readonly heard: readonly number[];
}

/** What predictions have left of a budget's window. */
export interface BudgetLeft {
  /** Cost that the rest of the window may take, heavy = 1; negative when it is overspent. */
  readonly left: number;
  /** Events that the rest of the window has. */
  readonly events: number;
}

/** Published by workers to `sluice.health`, key = flow/model/instance. */
export interface Health {
  readonly flow: string;
  readonly model: string;
  readonly version: string;
  readonly instance: string;
  readonly at: EpochMs;
  readonly backend: string;
  readonly gpu: boolean;
  /** Fitted batch time T(n) = base + perRow * n, in microseconds. */
  readonly base: number;
  readonly perRow: number;
  readonly queued: number;
  readonly served: number;
  readonly failed: number;
  /** The version of the catalog that this worker does not serve, since it does not load or failed where the one before it answered; empty: none. */
  readonly refusedVersion: string;
  readonly refusedWhy: string;
  /** Of the error behind it: SLUICE_MODEL_FAILED for a version that was left since it failed; empty in records of earlier versions. */
  readonly refusedCode: string;
  /** Its model fails and is left alone for the moment; false in records of earlier versions. */
  readonly breakerOpen: boolean;
  /** Milliseconds that a record put on its topic now would wait until it is taken; 0 in records of earlier versions. */
  readonly delay: Millis;
}

/** Cause and origin of a dead letter, in the `sluice-dead-letter` header; key and value of the record stay as they were. */
export interface DeadLetter {
  readonly code: string;
  readonly class: 'reject' | 'drop';
  readonly message: string;
  /** App and stage that refused the record, for example `router`. */
  readonly stage: string;
  readonly source: Source;
  readonly timestamp: EpochMs;
  readonly attempts: number;
}
