import type { ConfidenceError } from './confidence/confidence-calibrator.ts';
import type { LearnerCounts } from './learner-counts.ts';
import type { SegmentStats } from './segments/segments.ts';

/** A learner in figures, for reports and metrics. */
export interface LearnerStats extends Readonly<LearnerCounts> {
  readonly theta: number;
  /** Theta at which control began: theta_1 of the loss bound. */
  readonly thetaStart: number;
  readonly threshold: number;
  readonly heavyOnly: boolean;
  readonly reason: string;
  /** Sum of the doubly robust loss estimates, in events. */
  readonly estimatedLoss: number;
  /** Share of audited disagreements that turned out to be harm. */
  readonly rho: number;
  readonly auditRate: number;
  /** Taken from theta after an alarm; 0 when nothing is wrong. */
  readonly caution: number;
  /** Of each tier, cheapest first. */
  readonly confidence: readonly ConfidenceError[];
  /** In the order in which they were first seen; empty where the flow names none. */
  readonly segments: readonly SegmentStats[];
}
