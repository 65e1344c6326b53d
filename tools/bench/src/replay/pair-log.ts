import type { Answer } from '@sluice/domain';
import { binaryAnswer } from '@sluice/learning/simulation';
import type { FrugalmlSet, Service } from '../frugalml/data-set.ts';

/** Logged answers of two services to the same events: the cheapest one in front of the most accurate one. */
export interface PairLog {
  readonly name: string;
  readonly light: Service;
  readonly heavy: Service;
  readonly truths: Float64Array;
  /** Labels are 0 .. labels - 1. */
  readonly labels: number;
}

/** @throws Error when the set does not hold two services, or none that is better than the cheapest. */
export function pairLogOf(set: FrugalmlSet): PairLog {
  const { name, truths, services } = set;
  if (services.length < 2 || truths.length === 0) throw new Error(`${name} does not log two services`);
  const light = services.reduce((a, b) => (b.cost < a.cost ? b : a));
  const heavy = services.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  if (!(light.cost < heavy.cost)) throw new Error(`${name}: the most accurate service is the cheapest, there is nothing to route`);
  return { name, light, heavy, truths, labels: 1 + largest([truths, light.labels, heavy.labels]) };
}

export function answerOf(tier: 'light' | 'heavy', log: PairLog, event: number): Answer {
  const service = log[tier];
  const confidence = Math.min(1 - 1e-6, Math.max(1e-6, service.confidences[event]!));
  return binaryAnswer(tier, service.labels[event]!, confidence);
}

function largest(columns: readonly Float64Array[]): number {
  let found = 0;
  for (const column of columns) for (const value of column) if (value > found) found = value;
  return found;
}
