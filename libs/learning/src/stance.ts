import type { Flow, PolicySnapshot, SegmentPolicy } from '@sluice/domain';
import { warmUp } from '@sluice/routing';
import type { Allowance } from './anchor.ts';
import type { LearnerParts } from './learner-parts.ts';
import { safeEnd } from './loss-bound.ts';

/** What router and workers are told. */
export type Stance = Pick<PolicySnapshot, 'threshold' | 'heavyOnly' | 'reason' | 'auditRate'>;

/** The policy that follows from all a learner holds (docs/routing.md 3b). */
export function stanceOf(flow: Flow, parts: LearnerParts): Stance {
  const logThreshold = budgetBinds(flow, parts) ? parts.budget!.logThreshold : logThresholdOfLoss(parts);
  return {
    // Kept above 0 however deep theta has sunk.
    threshold: Math.exp(Math.max(-700, logThreshold)),
    heavyOnly: parts.anchor.warming || ((isSpentUp(flow, parts) || isBeyondHeavy(flow, parts)) && !budgetIsFirst(flow)),
    reason: reasonOf(flow, parts),
    auditRate: auditRateOf(flow, parts),
  };
}

/** ln tau for the declared loss: theta from where it is anchored, less what caution holds back. */
export function logThresholdOfLoss({ controller, anchor, vigilance }: LearnerParts): number {
  return Math.min(0, anchor.logThreshold + controller.swing) - vigilance.caution;
}

/** Where the segments stand, beside the whole flow. */
export function segmentPoliciesOf({ segments, anchor, controller }: LearnerParts): SegmentPolicy[] {
  if (segments === undefined || anchor.warming) return [];
  return segments.policies({ anchor: anchor.logThreshold, swing: controller.swing });
}

/**
 * The share of events that lighter tiers may do harm on: all that is declared, or what heavy's own error leaves of an absolute target.
 * @param heavyErrs how often heavy errs; left out: as often as it may.
 */
export function allowedHarm({ target }: Flow, { heavyError }: LearnerParts, heavyErrs = heavyError.upper): number {
  return target.measure === 'absolute' ? Math.max(0, target.maxLoss - heavyErrs) : target.maxLoss;
}

/** What the anchor is chosen by. */
export function allowanceOf(flow: Flow, parts: LearnerParts): Allowance {
  return { allowed: allowedHarm(flow, parts), fused: parts.fusion.curve };
}

/** Heavy itself errs more often than is declared. */
function isBeyondHeavy({ target }: Flow, { heavyError }: LearnerParts): boolean {
  return target.measure === 'absolute' && heavyError.lower > target.maxLoss;
}

function reasonOf(flow: Flow, parts: LearnerParts): string {
  if (parts.anchor.warming) return warmUp;
  if (!flow.controller.enabled) return 'static';
  if (isBeyondHeavy(flow, parts)) return 'infeasible';
  const spentUp = isSpentUp(flow, parts);
  // The target that is not primary gives way.
  if (budgetIsFirst(flow) ? spentUp : parts.budget?.exhausted === true) return 'infeasible';
  return spentUp ? 'safe-end' : 'controlled';
}

function auditRateOf(flow: Flow, parts: LearnerParts): number {
  if (!flow.controller.enabled) return flow.audit.rate;
  return budgetBinds(flow, parts) ? parts.pace.frugal : parts.pace.published(parts.vigilance.factor);
}

/** All the loss there was to give is given. */
function isSpentUp(flow: Flow, { controller }: LearnerParts): boolean {
  return flow.controller.enabled && controller.theta <= safeEnd;
}

function budgetIsFirst({ target }: Flow): boolean {
  return target.budget !== undefined && target.primary === 'budget';
}

/** What the loss asks for is more than the budget, which comes first, has. */
function budgetBinds(flow: Flow, parts: LearnerParts): boolean {
  return budgetIsFirst(flow) && parts.budget!.logThreshold > logThresholdOfLoss(parts);
}
