import type { Flow, Panel } from '@sluice/domain';
import { isLossFirst, type PanelShape } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { isHarm } from './evidence.ts';
import { PanelLearner, panelSize, type KnownCase } from './panel-learner.ts';

/** Weights that a snapshot has room for: 256 kB published, 512 kB of state. */
const mostWeights = 65_536;

/**
 * The fused answer (docs/routing.md 3a): a panel for each set of tiers, all learned from the same events, those of which every answer and
 * the truth are known. Flows of too many tiers or labels have none.
 */
export class Fusion {
  readonly #flow: Flow;
  readonly #panels: readonly PanelLearner[];
  /** Panel after one more tier: `next[panel][i]` is the panel with the i-th missing tier. */
  readonly #next: readonly (readonly number[])[];
  #seen = 0;

  constructor(flow: Flow, shape: PanelShape) {
    this.#flow = flow;
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
  }

  write(to: ByteWriter): void {
    to.u32(this.#seen);
    for (const panel of this.#panels) panel.write(to);
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
