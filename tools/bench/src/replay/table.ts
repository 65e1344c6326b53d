import { contenders, type Contender } from './contenders.ts';
import { orders, streamOf, type Order } from './orders.ts';
import type { PairLog } from './pair-log.ts';
import type { Tally } from './tally.ts';

/** Loss, worst window and cost of one contender in one order: means over the seeds, in percent. */
export interface Entry extends Tally {
  /** Largest loss of the seeds. */
  readonly maxLoss: number;
}

export interface Cell {
  readonly set: string;
  readonly order: Order;
  readonly events: number;
  readonly entries: Readonly<Record<Contender, Entry>>;
}

export const contenderNames = Object.keys(contenders) as Contender[];

/** Runs every contender over every order of a log, seeds 1..seeds. */
export function* cellsOf(log: PairLog, seeds: number): Generator<Cell, void, undefined> {
  for (const order of orders) {
    const tallies = new Map<Contender, Tally[]>(contenderNames.map((name) => [name, []]));
    for (let seed = 1; seed <= seeds; seed++) {
      const events = streamOf(log, order, seed);
      for (const name of contenderNames) tallies.get(name)!.push(contenders[name]({ log, events, seed }));
    }
    const entries = Object.fromEntries(contenderNames.map((name) => [name, entryOf(tallies.get(name)!)]));
    yield { set: log.name, order, events: log.truths.length, entries: entries as Record<Contender, Entry> };
  }
}

function entryOf(tallies: readonly Tally[]): Entry {
  const mean = (pick: (tally: Tally) => number): number => tallies.reduce((sum, one) => sum + pick(one), 0) / tallies.length;
  return {
    loss: mean((one) => one.loss),
    maxLoss: Math.max(...tallies.map((one) => one.loss)),
    worst: mean((one) => one.worst),
    cost: mean((one) => one.cost),
  };
}

/** One line a contender: `0.89 (1.07) / 2.06 / 37.3`. */
export function cellText({ order, entries }: Cell): string {
  const lines = contenderNames.map((name) => {
    const { loss, maxLoss, worst, cost } = entries[name];
    return `${name.padEnd(15)} ${loss.toFixed(2)} (${maxLoss.toFixed(2)}) / ${worst.toFixed(2)} / ${cost.toFixed(1)}`;
  });
  return lines.map((line, index) => `  ${(index === 0 ? order : '').padEnd(11)}${line}`).join('\n');
}
