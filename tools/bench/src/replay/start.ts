import { meanOf, simulate, type KnownEvent } from '@sluice/learning/simulation';
import { flowOf } from './contenders.ts';
import { streamOf } from './orders.ts';
import type { PairLog } from './pair-log.ts';
import { hindsightBest } from './rivals.ts';
import { setting } from './setting.ts';

/** Events held out as the labelled sample, and how many of the others are looked at. */
export const opening = { sample: 2000, events: 18_000 } as const;

/** The first events of a shuffled stream, begun cold or with a labelled sample: means over the seeds, in percent. */
export interface Start {
  readonly set: string;
  readonly events: number;
  readonly cold: Opening;
  readonly warm: Opening;
  /** Cost of the best fixed rule in hindsight on the same events. */
  readonly hindsight: number;
}

interface Opening {
  readonly loss: number;
  /** Audits included; the sample is not, since its answers were asked for before the stream. */
  readonly cost: number;
}

/** @returns undefined for a log too short to hold a sample out. */
export function startOf(log: PairLog, seeds: number): Start | undefined {
  if (log.truths.length < 2 * opening.sample) return undefined;
  const runs = Array.from({ length: seeds }, (_, index) => startOnce(log, index + 1));
  const mean = (pick: (run: (typeof runs)[number]) => number): number => runs.reduce((sum, run) => sum + pick(run), 0) / seeds;
  const openingOf = (kind: 'cold' | 'warm'): Opening => ({ loss: mean((run) => run[kind].loss), cost: mean((run) => run[kind].cost) });
  return {
    ...{ set: log.name, events: runs[0]!.events },
    ...{ cold: openingOf('cold'), warm: openingOf('warm'), hindsight: mean((run) => run.hindsight) },
  };
}

function startOnce(log: PairLog, seed: number) {
  const all = streamOf(log, 'iid', seed);
  const sample = all.slice(0, opening.sample);
  const events = all.slice(opening.sample, opening.sample + opening.events);
  const hindsight = hindsightBest({ log, events, seed }).cost;
  return { events: events.length, cold: openedWith(log, events), warm: openedWith(log, events, sample), hindsight };
}

function openedWith(log: PairLog, events: readonly KnownEvent[], sample?: readonly KnownEvent[]): Opening {
  const { shadowDelay, truthDelay, publishEvery } = setting;
  const costs = [log.light.cost, log.heavy.cost];
  const known = { events, ...(sample && { sample }) };
  const run = simulate({ flow: flowOf(log, true), signatureWidth: 1, costs, ...known, shadowDelay, truthDelay, publishEvery });
  return { loss: 100 * meanOf(run.harmed), cost: 100 * (meanOf(run.cost) + meanOf(run.shadowCost)) };
}

/** One line: saving lost against hindsight, cold and warm. */
export function startText({ set, events, cold, warm, hindsight }: Start): string {
  const told = ({ cost, loss }: Opening): string =>
    `cost ${cost.toFixed(1)} (${(cost - hindsight).toFixed(1)} above hindsight), loss ${loss.toFixed(2)}`;
  return `  ${set.padEnd(11)}first ${events} events: cold ${told(cold)}; warm ${told(warm)}`;
}
