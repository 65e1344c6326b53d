import type { Cell } from './table.ts';
import { setting } from './setting.ts';

export interface Miss {
  readonly set: string;
  readonly order: string;
  readonly target: string;
  readonly found: number;
  readonly allowed: number;
}

/** Events from which the loss of a single run is held to a quarter above the declared one. */
const longStream = 20_000;

/** Where the controller falls short of what it is meant to reach. Shortfalls are told, they are no error of the run. */
export function missesOf(cells: readonly Cell[]): Miss[] {
  return cells.flatMap((cell) => {
    const { set, order, events, entries } = cell;
    const { controller, hindsight } = entries;
    const declared = 100 * setting.maxLoss;
    const checks: [string, number, number, boolean][] = [
      ['mean loss at most the declared one', controller.loss, declared, true],
      ['largest loss of the seeds at most 1.25 times the declared one', controller.maxLoss, 1.25 * declared, events >= longStream],
      ['cost at most 8 points above hindsight', controller.cost, hindsight.cost + 8, order === 'iid'],
      ['cost below hindsight under regression', controller.cost, hindsight.cost, order === 'regression'],
      ['worst 5,000 events under regression below 4.75', controller.worst, 4.75, order === 'regression'],
    ];
    return checks
      .filter(([, found, allowed, applies]) => applies && found > allowed)
      .map(([target, found, allowed]) => ({ set, order, target, found, allowed }));
  });
}
