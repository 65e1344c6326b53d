import { parseFlow, type Answer, type Flow } from '@sluice/domain';
import { binaryAnswer, meanOf, seededRandom, shuffled, simulate, type KnownEvent } from '@sluice/learning/simulation';
import type { FrugalmlSet, Service } from './data-set.ts';

export const orders = ['iid', 'degrade', 'natural'] as const;
export type Order = (typeof orders)[number];

export interface ReplaySpec {
  readonly set: FrugalmlSet;
  readonly order: Order;
  readonly seed: number;
  readonly controlled: boolean;
}

export interface ReplayResult {
  /** Percent of events that heavy would have got right. */
  readonly harm: number;
  /** The same over the worst 5,000 consecutive events. */
  readonly worst: number;
  /** Percent of always-heavy's cost, shadow runs included. */
  readonly cost: number;
}

/** The cheapest service in front of the most accurate one. */
export function pairOf(set: FrugalmlSet): { readonly light: Service; readonly heavy: Service } {
  const light = set.services.reduce((a, b) => (b.cost < a.cost ? b : a));
  const heavy = set.services.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  return { light, heavy };
}

/** Plays the set's logged answers through routing and learning: epsilon 1 %, truth 500 events late (routing.md section 5). */
export function replay(spec: ReplaySpec): ReplayResult {
  const { light, heavy } = pairOf(spec.set);
  const labelCount = 1 + maximum([spec.set.truths, light.labels, heavy.labels]);
  const run = simulate({
    flow: replayFlow(labelCount, spec.controlled),
    signatureWidth: 1,
    costs: [light.cost, heavy.cost],
    events: eventsOf(spec, labelCount),
    shadowDelay: 50,
    truthDelay: 500,
    publishEvery: 50,
  });
  return {
    harm: 100 * meanOf(run.harmed),
    worst: 100 * worstWindow(run.harmed, 5000),
    cost: 100 * (meanOf(run.cost) + meanOf(run.shadowCost)),
  };
}

/** Nothing is known of an event before the first tier ran, so the signature is the constant alone. */
const signature = { indices: Uint16Array.of(0), values: Float32Array.of(1) };

function eventsOf({ set, order, seed }: ReplaySpec, labelCount: number): KnownEvent[] {
  const random = seededRandom(seed);
  const { light, heavy } = pairOf(set);
  const file = Array.from(set.truths, (_, event) => event);
  const sequence = order === 'natural' ? file : shuffled(file, random);
  return sequence.map((event, position) => {
    const truth = set.truths[event]!;
    let answer = answerOf('light', light, event);
    if (order === 'degrade' && position >= file.length / 2 && random.uniform() < 0.25)
      answer = { ...answer, label: otherThan(truth, labelCount, random.uniform()) };
    return { id: `${set.name}-${seed}-${event}`, signature, answers: [answer, answerOf('heavy', heavy, event)], truth };
  });
}

function answerOf(tier: string, service: Service, event: number): Answer {
  const confidence = Math.min(1 - 1e-6, Math.max(1e-6, service.confidences[event]!));
  return binaryAnswer(tier, service.labels[event]!, confidence);
}

function otherThan(label: number, count: number, draw: number): number {
  return (label + 1 + Math.floor(draw * (count - 1))) % count;
}

function maximum(columns: readonly Float64Array[]): number {
  let largest = 0;
  for (const column of columns) for (const value of column) if (value > largest) largest = value;
  return largest;
}

function worstWindow(series: Uint8Array, length: number): number {
  const width = Math.min(length, series.length);
  let sum = 0;
  let worst = 0;
  for (let i = 0; i < series.length; i++) {
    sum += series[i]! - (i >= width ? series[i - width]! : 0);
    if (i >= width - 1) worst = Math.max(worst, sum);
  }
  return worst / width;
}

function replayFlow(labelCount: number, controlled: boolean): Flow {
  return parseFlow({
    flow: 'replay',
    description: 'Logged answers of two services.',
    request: { schemas: ['none.avsc'] },
    labels: Array.from({ length: labelCount }, (_, label) => `label-${label}`),
    signature: [{ field: 'none', kind: 'number', min: 0, max: 1 }],
    tiers: [
      { name: 'light', model: 'light' },
      { name: 'heavy', model: 'heavy' },
    ],
    target: { maxLoss: 0.01 },
    controller: { enabled: controlled },
  });
}
