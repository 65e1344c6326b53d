import { keyedUniform, type EventId, type Flow, type PolicySnapshot, type Tag } from '@sluice/domain';
import type { Place } from './place.ts';

/** Harm at which an event is audited with probability `auditRate` itself. */
export const auditReferenceHarm = 0.01;

const referenceSpread = spread(auditReferenceHarm);

/** Whether a served event also runs, unseen by its user, on the tiers that did not run. */
export interface Audit {
  /** Probability with which it was to be audited, in (0, 1]; every estimate divides by it. */
  readonly probability: number;
  readonly drawn: boolean;
  /** Tiers that still have to run for the answers of all tiers to be known; empty when not drawn, or when all ran anyway. */
  readonly tiers: readonly string[];
}

/**
 * Probability of an audit for an event that a light tier serves with harm g:
 * `clip(auditRate * s(g) / s(0.01), auditRate / 2, 1)` with `s(g) = sqrt(g (1 - g))`: audits go where the doubly robust
 * estimate is least sure (docs/routing.md 3a; the optimal allocation for a Bernoulli residual).
 *
 * Contract with the learner: `auditRate` is the probability at a harm of 1 %, so that a snapshot without any history means
 * what it says. To keep the *mean* rate at the declared one the learner publishes
 * `auditRate = rate * boost * clip(s(0.01) / EMA[s(g)], 1/4, 4)`, with `boost` 5 after an alarm, else 1; `auditSpread` is s.
 */
export function auditProbability(auditRate: number, harm: number): number {
  return Math.min(1, Math.max(auditRate / 2, (auditRate * spread(harm)) / referenceSpread));
}

/** Smallest probability that `auditProbability` gives, whatever the harm. */
export function auditFloor(auditRate: number): number {
  return Math.min(1, auditRate / 2);
}

/** s(g) = sqrt(g (1 - g)), the standard deviation of a harm that happens with probability g. */
export function auditSpread(harm: number): number {
  return spread(harm);
}

/**
 * The draw of an event under a policy: uniform in [0, 1), the same after replay, redelivery and rebalance.
 * The version is part of the key so that a new policy audits other events.
 */
export function auditDraw(id: EventId, policyVersion: number, key: number): number {
  return keyedUniform(id, key, `@${policyVersion}`);
}

/**
 * Rate that goes into the slip. In warm-up events run on every tier, so that all heads start from the same events; but a learner that is behind would
 * only fall further behind by more of them than it asks for, and so would the tiers, which are at their busiest then.
 * @param source where the request stands in its topic; left out: among the first.
 */
export function slipAuditRate(policy: PolicySnapshot, flow: Flow, source?: Place): number {
  const plain = policy.auditRate >= smallestAuditRate ? Math.min(1, policy.auditRate) : smallestAuditRate;
  if (policy.reason !== warmUp) return plain;
  return isAhead(policy, flow, source) ? Math.max(plain, 2 / warmUpPatience) : 1;
}

/**
 * Warm-up waits for the shadow answers of as many events as it has, but not longer than this many times its length. So a share of 2 / warmUpPatience brings
 * it what it asks for also where nothing is known to be heard of yet: in the middle of a topic, or where keys are few and partitions many.
 */
export const warmUpPatience = 10;

/** Events that the threshold of a flow without controller is calibrated on, half of them to train its heads. */
export const staticEvents = 2000;

/** By twice as many as are asked for, an even share for each partition: keys rarely spread evenly. */
function isAhead({ heard }: PolicySnapshot, { controller, request }: Flow, source: Place | undefined): boolean {
  const asked = controller.enabled ? controller.warmUp : staticEvents;
  return source !== undefined && source.offset - (heard[source.partition] ?? 0) >= (2 * asked) / request.partitions;
}

/** Estimates divide by the probability, so a policy that says 0 (or NaN) must not switch audits off. */
const smallestAuditRate = 1e-3;

/** `reason` of a policy whose flow has not yet seen its warm-up events. */
export const warmUp = 'warm-up';

/**
 * Decides the audit of an event that is being served: its answers are `tag.answers` and that of the tier at `slip.position`.
 * A light answer is audited by its harm. An answer of heavy needs no correction, its loss is 0; it is shadowed at the plain rate so that the
 * heads of the lighter tiers keep learning. Where every tier ran anyway nothing is left to chance: probability 1. Where the budget is short the
 * probability is the smallest, for which `BudgetLedger` set the cost aside at routing: it can never be that a drawn audit is not paid for.
 */
export function decideAudit(tag: Served, harm: number): Audit {
  const { tiers, auditRate, auditDraw: draw, budget } = tag.slip;
  if (haveAllRun(tag)) return { probability: 1, drawn: true, tiers: [] };
  const plain = hasRun(tag, tiers[tiers.length - 1]!.tier) ? Math.min(1, auditRate) : auditProbability(auditRate, harm);
  const probability = budget === null ? plain : auditFloor(auditRate);
  const drawn = draw < probability;
  return { probability, drawn, tiers: drawn ? tiersNotRun(tag) : [] };
}

function haveAllRun(tag: Served): boolean {
  for (const { tier } of tag.slip.tiers) if (!hasRun(tag, tier)) return false;
  return true;
}

/** Cheapest first: those an audited event must still run on. */
function tiersNotRun(tag: Served): string[] {
  return tag.slip.tiers.map(({ tier }) => tier).filter((tier) => !hasRun(tag, tier));
}

type Served = Pick<Tag, 'slip' | 'answers'>;

function hasRun({ slip, answers }: Served, tier: string): boolean {
  for (const answer of answers) if (answer.tier === tier) return true;
  return slip.tiers[slip.position]!.tier === tier;
}

function spread(harm: number): number {
  return Math.sqrt(harm * (1 - harm));
}
