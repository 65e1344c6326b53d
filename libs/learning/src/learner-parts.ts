import type { Flow } from '@sluice/domain';
import { Anchor } from './anchor.ts';
import { AuditPace } from './audit-pace.ts';
import { BudgetPace } from './budget-pace.ts';
import { Fusion } from './fusion.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { assumedCosts, Calibration } from './calibration.ts';
import { Certificate } from './certificate.ts';
import { ConfidenceCalibrator } from './confidence/confidence-calibrator.ts';
import { createCounts, readCounts, writeCounts, type LearnerCounts } from './learner-counts.ts';
import { HeavyError } from './heavy-error.ts';
import { LossEstimate } from './loss-estimate.ts';
import { RecentIds } from './recent-ids.ts';
import { RiskController, thetaStart } from './risk-controller.ts';
import { createSegments, Segments } from './segments/segments.ts';
import { ShiftWatch } from './shift/shift-watch.ts';
import { readShape, writeShape } from './state-shape.ts';
import { createTierHeads, TierHeads, type HeadShape } from './tier-heads.ts';
import { Vigilance } from './vigilance.ts';

/** (id, part) pairs remembered against repeats: 32 kB of state. */
const rememberedParts = 4096;

/** All that a learner holds; each noun writes and reads itself, in the order of this list. */
export interface LearnerParts {
  readonly shape: HeadShape;
  readonly counts: LearnerCounts;
  readonly controller: RiskController;
  readonly pace: AuditPace;
  readonly vigilance: Vigilance;
  readonly loss: LossEstimate;
  readonly heavyError: HeavyError;
  readonly certificate: Certificate;
  readonly heads: readonly TierHeads[];
  /** One per tier, heavy among them. */
  readonly confidences: readonly ConfidenceCalibrator[];
  readonly shift: ShiftWatch;
  readonly recent: RecentIds;
  /** Only where the flow declares a budget. */
  readonly budget: BudgetPace | undefined;
  readonly anchor: Anchor;
  readonly fusion: Fusion;
  /** Only where the flow names them. */
  readonly segments: Segments | undefined;
}

export function createParts(flow: Flow, shape: HeadShape, costs?: readonly number[]): LearnerParts {
  return {
    shape,
    counts: createCounts(),
    controller: new RiskController({ epsilon: flow.target.maxLoss, eta: flow.controller.gain }),
    pace: new AuditPace(flow.audit.rate),
    vigilance: new Vigilance(),
    loss: new LossEstimate(),
    heavyError: new HeavyError(),
    certificate: new Certificate(),
    heads: createTierHeads(flow, shape),
    confidences: flow.tiers.map(() => new ConfidenceCalibrator()),
    shift: new ShiftWatch(shape.signatureWidth),
    recent: new RecentIds(rememberedParts),
    budget: flow.target.budget && new BudgetPace(flow.target.budget, thetaStart(flow.target.maxLoss)),
    anchor: new Anchor(flow, new Calibration(costs ?? assumedCosts(flow))),
    fusion: new Fusion(flow, shape),
    segments: createSegments(flow),
  };
}

export function writeParts(to: ByteWriter, flow: Flow, parts: LearnerParts): void {
  writeShape(to, flow, parts.shape);
  writeCounts(parts.counts, to);
  const { controller, pace, vigilance, loss, heavyError, certificate, heads, confidences, shift, recent, anchor, fusion, budget } = parts;
  const all = [controller, pace, vigilance, loss, heavyError, certificate, ...heads, ...confidences, shift, recent, anchor, fusion];
  for (const part of all) part.write(to);
  to.u8(budget === undefined ? 0 : 1);
  budget?.write(to);
  // Last, and only where there are any: states of before segments are read as ever.
  parts.segments?.write(to);
}

/** @throws RangeError when the bytes are of another state than the flow's, end early or go on. */
export function readParts(from: ByteReader, flow: Flow): LearnerParts {
  const shape = readShape(from, flow);
  const fresh = createParts(flow, shape);
  const counts = readCounts(from);
  for (const part of [fresh.controller, fresh.pace, fresh.vigilance]) part.read(from);
  const loss = LossEstimate.read(from);
  fresh.heavyError.read(from);
  fresh.certificate.read(from);
  const heads = fresh.heads.map(() => TierHeads.read(shape, from));
  for (const confidence of fresh.confidences) confidence.read(from);
  fresh.shift.read(from);
  const recent = RecentIds.read(from, rememberedParts);
  const anchor = Anchor.read(flow, from);
  fresh.fusion.read(from);
  // A budget may have been declared, or withdrawn, since.
  if (from.u8() === 1) (fresh.budget ?? new BudgetPace({ perEvent: 1, window: 1 }, 0)).read(from);
  if (!from.ended) (fresh.segments ?? new Segments(flow, { by: '', most: 1 })).read(from);
  if (!from.ended) throw new RangeError('bytes follow the state');
  return { ...fresh, counts, loss, heads, recent, anchor };
}
