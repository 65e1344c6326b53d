import type { Answer, Flow, Head, Panel, PolicySnapshot, SparseRow } from '@sluice/domain';
import { isLossFirst, type PanelShape } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { trialPolicy } from './calibration.ts';
import { isHarm } from './evidence.ts';
import { HarmCurve, triedThresholds } from './harm-curve.ts';
import { PanelLearner, panelSize, type KnownCase } from './panel-learner.ts';
import { serve } from './serve.ts';

/** An event that every tier answered, and what there is beside the panels to serve it with. */
export interface Rehearsal {
  readonly signature: SparseRow;
  readonly answers: readonly Answer[];
  /** For how many events it stands: 1 / (probability that every tier's answer would be known). */
  readonly weight: number;
  readonly heads: () => readonly Head[];
  readonly costs: readonly number[];
}

/** Weights that a snapshot has room for: 256 kB published, 512 kB of state. */
const mostWeights = 65_536;

/**
 * The fused answer (docs/routing.md 3a): a panel for each set of tiers, all learned from the same events, those of which every answer and
 * the truth are known. Flows of too many tiers or labels have none.
 */
export class Fusion {
  readonly #flow: Flow;
  readonly #signatureWidth: number;
  readonly #curve = new HarmCurve();
  readonly #panels: readonly PanelLearner[];
  /** Panel after one more tier: `next[panel][i]` is the panel with the i-th missing tier. */
  readonly #next: readonly (readonly number[])[];
  #seen = 0;

  constructor(flow: Flow, shape: PanelShape) {
    this.#flow = flow;
    this.#signatureWidth = shape.signatureWidth;
    const names = flow.tiers.map(({ name }) => name);
    const sets = fits(flow, shape) ? setsOf(names) : [];
    this.#panels = sets.map((tiers) => new PanelLearner(tiers, flow, shape));
    const place = new Map(sets.map((tiers, index) => [tiers.join(), index]));
    this.#next = this.#panels.map(({ tiers, missing }) =>
      missing.map((more) => place.get(names.filter((name) => name === more || tiers.includes(name)).join())!),
    );
  }

  read(from: ByteReader): void {
    this.#seen = from.u32();
    for (const panel of this.#panels) panel.read(from);
    if (this.#rehearses) this.#curve.read(from);
  }

  write(to: ByteWriter): void {
    to.u32(this.#seen);
    for (const panel of this.#panels) panel.write(to);
    if (this.#rehearses) this.#curve.write(to);
  }

  get seen(): number {
    return this.#seen;
  }

  learn(known: KnownCase): void {
    this.#seen++;
    const { answers, truth } = known;
    const heavy = answers.find(({ tier }) => tier === this.#flow.tiers[this.#flow.tiers.length - 1]!.name)!;
    const sittings = this.#panels.map((panel) => panel.sit(known));
    const harms = sittings.map(({ fused }) => isHarm(fused.label, heavy, truth));
    const risks = isLossFirst(this.#flow) ? harms : sittings.map(({ fused }) => fused.label !== truth);
    this.#panels.forEach((panel, index) =>
      panel.foresee(
        sittings[index]!,
        this.#next[index]!.map((next) => sittings[next]!),
      ),
    );
    this.#panels.forEach((panel, index) => {
      const later = this.#next[index]!.map((next) => risks[next]!);
      panel.learn(known, sittings[index]!, { harm: harms[index]!, risks: [risks[index]!, ...later] });
    });
  }

  publish(): Panel[] {
    return this.#seen < this.#flow.fusion.after ? [] : this.#panels.map((panel) => panel.publish());
  }

  /** What harm is predicted at which threshold while answers are fused; undefined while they are not, and where a budget comes first. */
  get curve(): HarmCurve | undefined {
    return this.#rehearses && this.#seen >= this.#flow.fusion.after ? this.#curve : undefined;
  }

  /**
   * Serves the event at each of the tried thresholds as it would be with the panels of now, before they learn from it. With panels the same
   * threshold lets more pass than without: on four synthetic streams half as much harm again.
   */
  rehearse({ signature, answers, weight, heads, costs }: Rehearsal): void {
    // The panels of the first half were still beginners.
    if (!this.#rehearses || this.#seen < this.#flow.fusion.after / 2) return;
    const policy = { ...trialPolicy, flow: this.#flow.flow, heads: heads(), panels: this.#panels.map((panel) => panel.publish()) };
    const inOrder = this.#flow.tiers.map(({ name }) => answers.find(({ tier }) => tier === name)!);
    const heavy = inOrder[inOrder.length - 1]!.tier;
    const serving = { flow: this.#flow, signatureWidth: this.#signatureWidth, costs };
    const harms: number[] = [];
    for (const logThreshold of triedThresholds) {
      const trial: PolicySnapshot = { ...policy, threshold: Math.exp(logThreshold) };
      const { tier, harm } = serve(serving, trial, { id: '', signature, answers: inOrder, truth: 0 }).prediction;
      harms.push(harm);
      // Who asks heavy asks it at every lower threshold.
      if (tier === heavy) break;
    }
    while (harms.length < triedThresholds.length) harms.push(harms[harms.length - 1]!);
    this.#curve.add(harms, weight);
  }

  get #rehearses(): boolean {
    return this.#panels.length > 0 && isLossFirst(this.#flow);
  }
}

function fits(flow: Flow, shape: PanelShape): boolean {
  if (!flow.fusion.enabled || !flow.controller.enabled || flow.tiers.length > 6) return false;
  const size = setsOf(flow.tiers.map(({ name }) => name)).reduce((sum, tiers) => sum + panelSize(tiers, flow, shape), 0);
  return size <= mostWeights;
}

/** Every set of tiers but the empty one, each in the order of the flow. */
function setsOf(names: readonly string[]): string[][] {
  return Array.from({ length: 2 ** names.length - 1 }, (_, index) => names.filter((_name, at) => ((index + 1) >> at) & 1));
}
