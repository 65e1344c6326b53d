import type { Plot, Series } from '../svg.ts';
import { simulated } from './contenders.ts';
import { streamOf, type Order } from './orders.ts';
import type { PairLog } from './pair-log.ts';
import { setting } from './setting.ts';

/** Events that a running mean looks back on, and points that a line has. */
const look = { window: 2000, points: 300 } as const;

/** Threshold, loss and cost over time of one order, seed 1: the controller beside the threshold that never moves. */
export function plotsOf(log: PairLog, order: Order): Plot[] {
  const race = { log, events: streamOf(log, order, 1), seed: 1 };
  const controller = simulated(race, true);
  const fixed = simulated(race, false);
  const cost = ({ cost, shadowCost }: typeof controller): Float64Array => cost.map((one, event) => one + shadowCost[event]!);
  const x = 'events';
  return [
    { title: `${log.name}, ${order}: theta of the controller`, x, y: 'theta', series: [lineOf('controller', controller.thetas, 1)] },
    {
      title: `${log.name}, ${order}: loss of the last ${look.window} events`,
      x,
      y: 'loss, %',
      series: [lineOf('controller', controller.harmed, 100), lineOf('static', fixed.harmed, 100), declared(race.events.length)],
    },
    {
      title: `${log.name}, ${order}: cost of the last ${look.window} events, audits included`,
      x,
      y: '% of always-heavy',
      series: [lineOf('controller', cost(controller), 100), lineOf('static', cost(fixed), 100)],
    },
  ];
}

function declared(events: number): Series {
  return { name: 'declared', points: [0, events].map((at) => [at, 100 * setting.maxLoss] as const) };
}

/** Running means; theta, which moves slowly, by the same rule. */
function lineOf(name: string, series: ArrayLike<number>, scale: number): Series {
  const sums = new Float64Array(series.length + 1);
  for (let at = 0; at < series.length; at++) sums[at + 1] = sums[at]! + series[at]!;
  const step = Math.max(1, Math.floor(series.length / look.points));
  const points = Array.from({ length: Math.floor(series.length / step) }, (_, index) => {
    const end = (index + 1) * step;
    const start = Math.max(0, end - look.window);
    return [end, (scale * (sums[end]! - sums[start]!)) / (end - start)] as const;
  });
  return { name, points };
}
