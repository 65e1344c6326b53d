import type { PolicySnapshot } from '@sluice/domain';
import { serve, type KnownEvent, type Serving } from '@sluice/learning/simulation';

/** What one threshold buys on the test half. */
export interface CurvePoint {
  readonly threshold: number;
  /** Mean cost of an event, in the unit of the set's price list. */
  readonly cost: number;
  readonly accuracy: number;
}

const thresholds = Array.from({ length: 80 }, (_, step) => Math.exp(1 - step / 10));

/** Serves the events under each threshold with the functions of router and workers. Points in the order of cost. */
export function curveOf(serving: Serving, policy: PolicySnapshot, events: readonly KnownEvent[]): CurvePoint[] {
  const heavyCost = serving.costs[serving.costs.length - 1]!;
  const points = thresholds.map((threshold): CurvePoint => {
    let cost = 0;
    let right = 0;
    for (const event of events) {
      const { prediction } = serve(serving, { ...policy, threshold }, event);
      cost += prediction.cost;
      if (prediction.label === serving.flow.labels[event.truth]) right++;
    }
    return { threshold, cost: (cost * heavyCost) / events.length, accuracy: right / events.length };
  });
  return points.sort((a, b) => a.cost - b.cost);
}

/** Cost at which the curve first reaches an accuracy, between two points by a straight line; Infinity when it never does. */
export function costAt(points: readonly CurvePoint[], accuracy: number): number {
  const at = points.findIndex((point) => point.accuracy >= accuracy);
  if (at < 0) return Infinity;
  const [below, above] = [points[at - 1], points[at]!];
  if (below === undefined) return above.cost;
  return below.cost + ((above.cost - below.cost) * (accuracy - below.accuracy)) / (above.accuracy - below.accuracy);
}

/** Best accuracy that costs no more than `cost`; 0 when nothing is that cheap. */
export function accuracyAt(points: readonly CurvePoint[], cost: number): number {
  return Math.max(0, ...points.filter((point) => point.cost <= cost).map((point) => point.accuracy));
}
