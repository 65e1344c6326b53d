import type { EventId, Flow, Prediction } from '@sluice/domain';
import type { Report } from './report.ts';
import type { Alternatives } from './source.ts';
import { round } from './steps.ts';

/** How good and how dear the answers were, next to what one tier alone would have done on the same events. */
export interface Quality {
  readonly accuracy: Report['accuracy'];
  readonly cost: Pick<Report['cost'], 'served' | 'audits' | 'alwaysHeavy'>;
  /** Share of events that heavy got right and the served answer got wrong. */
  readonly realised: number;
}

export interface Served {
  readonly predictions: readonly Prediction[];
  readonly alternatives: ReadonlyMap<EventId, Alternatives>;
  /** Cost of each tier relative to heavy. */
  readonly costs: readonly number[];
}

/** Compares served answers with those of the heavy and the fast tier alone, event by event. */
export function quality(flow: Flow, { predictions, alternatives, costs }: Served): Quality {
  const sum = { served: 0, heavy: 0, fast: 0, harmed: 0, cost: 0, audits: 0 };
  let events = 0;
  for (const prediction of predictions) {
    const other = alternatives.get(prediction.id);
    if (other === undefined) continue;
    events++;
    const served = flow.labels.indexOf(prediction.label) === other.truth;
    const heavy = other.answers.at(-1) === other.truth;
    if (served) sum.served++;
    if (heavy) sum.heavy++;
    if (other.answers[0] === other.truth) sum.fast++;
    if (heavy && !served) sum.harmed++;
    sum.cost += prediction.cost;
    sum.audits += auditCost(flow, prediction, costs);
  }
  const mean = (total: number): number => round(total / Math.max(1, events), 4);
  return {
    accuracy: { served: mean(sum.served), alwaysHeavy: mean(sum.heavy), alwaysFast: mean(sum.fast) },
    cost: { served: mean(sum.cost + sum.audits), audits: mean(sum.audits), alwaysHeavy: 1 },
    realised: sum.harmed / Math.max(1, events),
  };
}

/** An audited event also ran on every tier that had not answered. */
function auditCost(flow: Flow, { audit, answers }: Prediction, costs: readonly number[]): number {
  if (!audit.drawn) return 0;
  const ran = new Set(answers.map(({ tier }) => tier));
  return flow.tiers.reduce((sum, { name }, tier) => (ran.has(name) ? sum : sum + costs[tier]!), 0);
}
