import { spreadOf, told, type Spread } from '../statistics.ts';
import type { Plot } from '../svg.ts';
import { contestOf, policyOf, splitSeeds } from './contest.ts';
import { accuracyAt, costAt, curveOf, type CurvePoint } from './curve.ts';
import type { FrugalmlSet } from './data-set.ts';
import { published, type Published } from './published.ts';

/** One set in figures: means and spread over the seeds; accuracies and savings in percent. */
export interface Row {
  readonly set: string;
  readonly events: number;
  /** Best single service of the training halves, by seed; its figures are those of the test halves. */
  readonly best: readonly string[];
  readonly bestAccuracy: Spread;
  readonly bestCost: number;
  /** Our cost at the best service's accuracy, in the price list's unit. */
  readonly cost: Spread;
  readonly saving: Spread;
  /** Our accuracy at the best service's cost. */
  readonly accuracy: Spread;
  readonly published: Published | undefined;
  /** The curve of the first seed. */
  readonly curve: readonly CurvePoint[];
  readonly singles: readonly (readonly [cost: number, accuracy: number])[];
}

export function rowOf(set: FrugalmlSet, seeds: readonly number[]): Row {
  const runs = seeds.map((seed) => runOf(set, seed));
  const { curve, singles } = runs[0]!;
  return {
    set: set.name,
    events: set.truths.length,
    best: [...new Set(runs.map(({ best }) => best))],
    bestAccuracy: spreadOf(runs.map(({ bestAccuracy }) => 100 * bestAccuracy)),
    bestCost: spreadOf(runs.map(({ bestCost }) => bestCost)).mean,
    cost: spreadOf(runs.map(({ cost }) => cost)),
    saving: spreadOf(runs.map(({ cost, bestCost }) => 100 * (1 - cost / bestCost))),
    accuracy: spreadOf(runs.map(({ accuracy }) => 100 * accuracy)),
    published: published[set.name],
    curve,
    singles,
  };
}

function runOf(set: FrugalmlSet, seed: number) {
  const contest = contestOf(set, seed);
  const { serving, services, test } = contest;
  const curve = curveOf(serving, policyOf(contest), test);
  const accuracies = services.map((_, tier) => test.filter(({ answers, truth }) => answers[tier]!.label === truth).length / test.length);
  const [bestAccuracy, { name: best, cost: bestCost }] = [accuracies[accuracies.length - 1]!, services[services.length - 1]!];
  const singles = services.map((service, tier) => [service.cost, 100 * accuracies[tier]!] as const);
  return { best, bestAccuracy, bestCost, curve, singles, cost: costAt(curve, bestAccuracy), accuracy: accuracyAt(curve, bestCost) };
}

/** A set is won when it costs less than FrugalML's figure; sets without one need only cost less than the best service. */
export function isWon({ saving, published: theirs }: Row): boolean {
  return saving.mean > (theirs?.saving ?? 0);
}

export function rowText(row: Row): string {
  const { set, events, best, bestAccuracy, bestCost, cost, saving, accuracy, published: theirs } = row;
  const against = theirs === undefined ? 'no figure known' : `${theirs.saving} % (${theirs.how})`;
  return [
    `${set.padEnd(11)} ${String(events).padStart(6)} events; best ${best.join('/')} ${told(bestAccuracy)} % at ${bestCost}`,
    `  ours: cost ${told(cost, 3)} at that accuracy, saving ${told(saving, 1)} %, FrugalML ${against}${isWon(row) ? '' : ' NOT BEATEN'}`,
    `  ours: accuracy ${told(accuracy)} % at that cost`,
  ].join('\n');
}

export function plotOf({ set, curve, singles }: Row): Plot {
  const points = curve.map(({ cost, accuracy }) => [cost, 100 * accuracy] as const);
  return {
    title: `${set}: accuracy against cost, test half of seed ${splitSeeds[0]}`,
    x: "mean cost of an event, in the unit of the set's price list",
    y: 'accuracy, %',
    series: [
      { name: 'tiers, fused', points },
      { name: 'each service alone', points: singles, marks: true },
    ],
  };
}
