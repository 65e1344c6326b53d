import type { Flow } from '@sluice/domain';
import { warmUpPatience, staticEvents } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { Calibration, trust, type CalibrationRow } from './calibration.ts';
import type { HarmCurve } from './harm-curve.ts';
import type { LearnerCounts } from './learner-counts.ts';
import { thetaStart } from './risk-controller.ts';

/** How far the first anchor may lie from the usual one (predicted harm of young heads deserves no more trust), and how far each later one moves it. */
const reach = { below: 1, above: 2, step: 1, slack: 0.5 };

/** Events of which the share of the declared loss that is held back is the root: 1 of 150, a half of 600, a quarter of 2,400. */
const doubtful = 150;

/** Share of the declared loss that is to be predicted by beginners. */
const youngest = 0.5;

export interface Allowance {
  /** The share of events that may be harmed. */
  readonly allowed: number;
  /** What the panels predict, while answers are fused. */
  readonly fused: HarmCurve | undefined;
}

/**
 * The threshold that theta moves around: where the declared loss is predicted, chosen at the end of warm-up and again whenever the number
 * of events has doubled, because heads that have seen more say it better.
 *
 * The loss bound does not know of it. What may be lost is kept in theta alone; which threshold a theta stands for is free to choose, as long as
 * theta at its end means heavy only.
 */
export class Anchor {
  readonly #flow: Flow;
  readonly #calibration: Calibration;
  #logThreshold: number;
  /** Events known when it was chosen last; 0 while the flow warms up. */
  #chosen = 0;
  /** Predicted harm of light answers since the last choice, and what audits added to it. */
  #predicted = 0;
  #corrected = 0;

  constructor(flow: Flow, calibration: Calibration) {
    this.#flow = flow;
    this.#calibration = calibration;
    this.#logThreshold = thetaStart(flow.target.maxLoss);
    if (flow.controller.enabled && flow.controller.warmUp === 0) this.#chosen = Infinity;
  }

  static read(flow: Flow, from: ByteReader): Anchor {
    const anchor = new Anchor(flow, Calibration.read(from));
    anchor.#logThreshold = from.f64();
    anchor.#chosen = from.f64();
    anchor.#predicted = from.f64();
    anchor.#corrected = from.f64();
    return anchor;
  }

  write(to: ByteWriter): void {
    this.#calibration.write(to);
    to.f64(this.#logThreshold).f64(this.#chosen).f64(this.#predicted).f64(this.#corrected);
  }

  /** The time before the first light answer. */
  get warming(): boolean {
    return this.#chosen === 0;
  }

  get logThreshold(): number {
    return this.#logThreshold;
  }

  /** Of each tier, heavy = 1. */
  get costs(): readonly number[] {
    return this.#calibration.costs;
  }

  add(row: CalibrationRow): void {
    if (this.#chosen < Infinity) this.#calibration.add(row);
  }

  predicted(harm: number): void {
    this.#predicted += harm;
  }

  corrected(part: number): void {
    this.#corrected += part;
  }

  /**
   * Chooses the threshold when it is time to.
   * @param current ln tau now.
   */
  advance(counts: LearnerCounts, current: number, allowance: Allowance): void {
    if (this.warming ? !this.#isWarm(counts) : this.#lived(counts) < this.#chosen * growthOf(counts)) return;
    if (!this.#flow.controller.enabled) this.#fix(allowance.allowed);
    else if (this.warming || counts.lightServed === 0) this.#start(counts, allowance);
    else this.#follow(counts, current, allowance);
  }

  /**
   * From now on answers are fused, and the same threshold lets more pass than before: steps down to where half the declared loss is predicted.
   * @param current ln tau now.
   */
  replan(current: number, { allowed, fused }: Allowance): void {
    if (this.warming) return;
    const found = fused?.threshold(youngest * allowed) ?? current;
    this.#logThreshold -= Math.min(reach.step, Math.max(0, current - found));
    this.#predicted = this.#corrected = 0;
  }

  /** Enough was seen to let light tiers serve: of the stream, or of a labelled sample before it. */
  #isWarm({ decisions }: LearnerCounts): boolean {
    const { enabled, warmUp } = this.#flow.controller;
    const { seen } = this.#calibration;
    return enabled ? seen >= warmUp || decisions >= warmUp * warmUpPatience : seen >= staticEvents;
  }

  #lived({ decisions }: LearnerCounts): number {
    return Math.max(decisions, this.#calibration.seen);
  }

  /** A static flow stays where all of the declared loss was found. */
  #fix(allowed: number): void {
    this.#logThreshold = this.#calibration.theta(this.#flow, allowed, 'realised') ?? usualOf(allowed);
    this.#chosen = Infinity;
  }

  /**
   * Half the declared loss, as predicted by beginners; more by those who have seen more than 600 events. What is known before the first decision is a
   * labelled sample: its truths say how far predictions are borne out.
   */
  #start(counts: LearnerCounts, { allowed, fused }: Allowance): void {
    const usual = usualOf(allowed);
    const margin = Math.min(1 - youngest, Math.sqrt(doubtful / this.#calibration.seen));
    const target = (1 - margin) * allowed;
    const measure = counts.decisions === 0 ? 'borne-out' : 'predicted';
    const found = fused?.threshold(target) ?? this.#calibration.theta(this.#flow, target, measure) ?? usual;
    this.#logThreshold = Math.min(usual + reach.above, Math.max(usual - reach.below, found));
    this.#chosen = this.#lived(counts);
  }

  #follow(counts: LearnerCounts, current: number, { allowed, fused }: Allowance): void {
    const borneOut = Math.max(0.4, (this.#predicted + this.#corrected + trust) / (this.#predicted + trust));
    const margin = Math.min(0.4, Math.sqrt(doubtful / this.#lived(counts)));
    const target = ((1 - margin) * allowed) / borneOut;
    const found = fused?.threshold(target) ?? this.#calibration.theta(this.#flow, target, 'predicted');
    const rise = (found ?? current) - current;
    if (rise > reach.slack) this.#logThreshold += Math.min(reach.step, rise - reach.slack);
    this.#chosen = this.#lived(counts);
    this.#predicted = this.#corrected = 0;
  }
}

/** How far the number of events has to grow until it is chosen again: little before any light answer, so that the first one goes by all that is known. */
function growthOf({ lightServed }: LearnerCounts): number {
  return lightServed === 0 ? 1.25 : 2;
}

/** Where theta usually starts for a share of harm; a share of nothing is not known yet. */
function usualOf(allowed: number): number {
  return thetaStart(Math.max(1e-3, allowed));
}
