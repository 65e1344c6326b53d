import { parseFlow, type Flow } from '@sluice/domain';
import { simulate, type Simulation } from '@sluice/learning/simulation';
import { epsilonGreedy, hindsightBest, truthOnly, type Race } from './rivals.ts';
import type { PairLog } from './pair-log.ts';
import { setting } from './setting.ts';
import { tallyOf, type Tally } from './tally.ts';

/** Who runs over each stream. The first two are the code that serves; the others are what one would do without it. */
export const contenders = {
  controller: (race: Race) => served(race, true),
  static: (race: Race) => served(race, false),
  'truth-only': truthOnly,
  'epsilon-greedy': epsilonGreedy,
  hindsight: hindsightBest,
} as const satisfies Record<string, (race: Race) => Tally>;

export type Contender = keyof typeof contenders;

/** What each contender is, for the notes under the table. */
export const contenderNotes: Record<Contender, string> = {
  controller: 'what serves: the Learner with route and stop rule, audits and warm-up in its cost',
  static: 'controller.enabled: false, threshold calibrated on the first 2,000 settled events, never moved again',
  'truth-only': 'integral control on audited truth alone (inverse probability, no prediction, no disagreement, no alarm)',
  'epsilon-greedy': 'heavy on 4 % of the events at random, else light where its predicted harm is at most twice the declared loss',
  hindsight: 'the cheapest fixed rule that keeps the declared loss: head and threshold fitted on the whole stream after its end; no audits',
};

/** Plays the stream through routing and learning. */
function served(race: Race, enabled: boolean): Tally {
  const run = simulated(race, enabled);
  return tallyOf(
    run.harmed,
    run.cost.map((cost, event) => cost + run.shadowCost[event]!),
  );
}

export function simulated({ log, events }: Race, enabled: boolean): Simulation {
  const { shadowDelay, truthDelay, publishEvery } = setting;
  const delays = { shadowDelay, truthDelay, publishEvery };
  const costs = [log.light.cost, log.heavy.cost];
  return simulate({ flow: flowOf(log, enabled), signatureWidth: 1, costs, events, ...delays });
}

/** Two tiers, nothing known before the first of them ran. */
export function flowOf({ labels }: PairLog, enabled: boolean): Flow {
  return parseFlow({
    flow: 'replay',
    description: 'Logged answers of two services.',
    request: { schemas: ['none.avsc'] },
    labels: Array.from({ length: labels }, (_, label) => `label-${label}`),
    signature: [{ field: 'none', kind: 'number', min: 0, max: 1 }],
    tiers: [
      { name: 'light', model: 'light' },
      { name: 'heavy', model: 'heavy' },
    ],
    target: { maxLoss: setting.maxLoss },
    audit: { rate: setting.auditRate },
    controller: { enabled },
  });
}
