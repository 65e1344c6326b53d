import type { Answer, Flow, Head, PolicySnapshot } from '@sluice/domain';
import { headWidth, logit } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { safeEnd } from './loss-bound.ts';
import { serve } from './serve.ts';

/** One event whose answers on all tiers are known: for each light tier, cheapest first, what its heads said before they learned from it. */
export interface CalibrationRow {
  /** Predicted harm before the tier ran. */
  readonly route: readonly number[];
  /** Predicted harm after it ran. */
  readonly stop: readonly number[];
  /** Whether the tier's answer was harmful; all false where only predictions are asked for. */
  readonly harmed: readonly boolean[];
  /** For how many events it stands: 1 / (probability that every tier's answer would be known). */
  readonly weight: number;
}

/** Latest rows that are kept: 1,000 rows give an expected harm of 1 % to about a tenth of itself. */
const mostRows = 1000;

/** Thresholds tried: theta from 0 down to the safe end in steps of 1/8, a tenth of tau. */
const steps = Array.from({ length: Math.floor(-safeEnd * 8) }, (_, step) => -step / 8);

/** Predicted harm is believed as far as what is known bears it out; before anything is, as if this many events of harm had been as predicted. */
export const trust = 10;

/** What counts as the harm of a threshold, by its sums over the events. */
const measures = {
  predicted: (predicted: number) => predicted,
  realised: (_predicted: number, realised: number) => realised,
  'borne-out': (predicted: number, realised: number) => (predicted * (realised + trust)) / (predicted + trust),
} as const;
export type Measure = keyof typeof measures;

/**
 * Chooses a threshold from the first events of a flow. Predictions are those made before learning from the event, so the choice is not
 * flattered by memory, and each threshold is tried with the functions that serve, so it means what it will mean.
 */
export class Calibration {
  /** Cost of each tier, heavy = 1. */
  readonly costs: readonly number[];
  #seen: number;
  readonly #rows: CalibrationRow[];

  constructor(costs: readonly number[], seen = 0, rows: CalibrationRow[] = []) {
    this.costs = costs;
    this.#seen = seen;
    this.#rows = rows;
  }

  static read(from: ByteReader): Calibration {
    const costs = Array.from({ length: from.u8() }, () => from.f64());
    const seen = from.u32();
    const light = costs.slice(1);
    const readRow = (): CalibrationRow => ({
      route: light.map(() => from.f32()),
      stop: light.map(() => from.f32()),
      harmed: light.map(() => from.u8() === 1),
      weight: from.f32(),
    });
    return new Calibration(costs, seen, Array.from({ length: from.u32() }, readRow));
  }

  write(to: ByteWriter): void {
    to.u8(this.costs.length);
    for (const cost of this.costs) to.f64(cost);
    to.u32(this.#seen).u32(this.#rows.length);
    for (const { route, stop, harmed, weight } of this.#rows) {
      for (const harm of [...route, ...stop]) to.f32(harm);
      for (const harm of harmed) to.u8(harm ? 1 : 0);
      to.f32(weight);
    }
  }

  get seen(): number {
    return this.#seen;
  }

  add({ route, stop, harmed, weight }: CalibrationRow): void {
    this.#seen++;
    this.#rows.push({ route: route.map(Math.fround), stop: stop.map(Math.fround), harmed, weight: Math.fround(weight) });
    if (this.#rows.length > mostRows) this.#rows.shift();
  }

  /** The largest theta whose harm on the later half of the events is at most `target`; undefined without rows. */
  theta(flow: Flow, target: number, measure: Measure): number | undefined {
    // The heads of the first half were still beginners.
    const rows = this.#rows.slice(-Math.ceil(this.#seen / 2));
    if (rows.length === 0) return undefined;
    const events = rows.map((row) => eventOf(flow, row));
    const allowed = target * rows.reduce((sum, row) => sum + row.weight, 0);
    const isSafe = (theta: number): boolean => {
      let [predicted, realised] = [0, 0];
      for (const event of events) {
        const harm = harmOf(flow, this.costs, { event, theta });
        predicted += event.row.weight * harm.predicted;
        realised += event.row.weight * harm.realised;
      }
      return measures[measure](predicted, realised) <= allowed;
    };
    // Harm grows with theta up to noise, so bisecting finds a step where it crosses the target.
    let [above, below] = [-1, steps.length - 1];
    while (below - above > 1) {
      const middle = (above + below) >> 1;
      if (isSafe(steps[middle]!)) below = middle;
      else above = middle;
    }
    return steps[below]!;
  }
}

/** Where nobody measured: each tier costs a quarter of the next. */
export function assumedCosts(flow: Flow): number[] {
  return flow.tiers.map((_, position) => 4 ** (position + 1 - flow.tiers.length));
}

interface CalibrationEvent {
  readonly row: CalibrationRow;
  readonly heads: readonly Head[];
  readonly answers: readonly Answer[];
}

interface Trial {
  readonly event: CalibrationEvent;
  readonly theta: number;
}

/** A signature of one column and heads with one weight, so that the serving functions find exactly the predictions of the row. */
const signature = { indices: Uint16Array.of(0), values: Float32Array.of(1) };

function eventOf(flow: Flow, row: CalibrationRow): CalibrationEvent {
  const oneWeight = (harm: number, stage: Head['stage']): Float32Array => {
    const weights = new Float32Array(headWidth(1, flow.labels.length, stage));
    weights[0] = logit(Math.min(1 - 1e-6, Math.max(1e-6, harm)));
    return weights;
  };
  const heads = row.stop.flatMap((harm, index): Head[] => {
    const tier = flow.tiers[index]!.name;
    return [
      { tier, stage: 'route', weights: oneWeight(row.route[index]!, 'route') },
      { tier, stage: 'stop', weights: oneWeight(harm, 'stop') },
    ];
  });
  const answers = flow.tiers.map(({ name }) => ({
    tier: name,
    model: name,
    version: '',
    label: 0,
    confidence: 0.5,
    margin: 0,
    entropy: 0,
  }));
  return { row, heads, answers };
}

function harmOf(flow: Flow, costs: readonly number[], { event, theta }: Trial): Record<'predicted' | 'realised', number> {
  const policy: PolicySnapshot = { ...trialPolicy, flow: flow.flow, threshold: Math.exp(theta), heads: event.heads };
  const { prediction } = serve({ flow, signatureWidth: 1, costs }, policy, { id: '', signature, answers: event.answers, truth: 0 });
  const harmed = event.row.harmed[flow.tiers.findIndex((tier) => tier.name === prediction.tier)] === true;
  return { predicted: prediction.harm, realised: harmed ? 1 : 0 };
}

/** What a policy that is tried says beside what it is tried for. */
export const trialPolicy: Omit<PolicySnapshot, 'flow' | 'threshold' | 'heads'> = {
  version: 0,
  examplesOffset: 0,
  heavyOnly: false,
  reason: 'trial',
  auditRate: 1,
  panels: [],
  learner: new Uint8Array(0),
  certificate: null,
  budgetLeft: null,
  segments: [],
  heard: [],
};
