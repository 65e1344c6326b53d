import { seededRandom, shuffled, type KnownEvent, type Random } from '@sluice/learning/simulation';
import { answerOf, type PairLog } from './pair-log.ts';

export const orders = ['iid', 'regression', 'prior', 'natural'] as const;
export type Order = (typeof orders)[number];

/** What each order does to the log, for the head of the table. */
export const orderNotes: Record<Order, string> = {
  iid: 'shuffled',
  regression: 'shuffled; from mid-stream 25 % of the light answers are wrong with their confidence untouched',
  prior: 'events that only heavy gets right bunched late: each takes the latest of four random places',
  natural: 'the order of the file',
};

/** Nothing is known of an event before the first tier ran, so the signature is the constant alone. */
const signature = { indices: Uint16Array.of(0), values: Float32Array.of(1) };

/** The log as a stream in one of the orders; equal seeds give equal streams. */
export function streamOf(log: PairLog, order: Order, seed: number): KnownEvent[] {
  const random = seededRandom(seed);
  const places = placesOf(log, order, random);
  return places.map((event, position) => {
    const truth = log.truths[event]!;
    let light = answerOf('light', log, event);
    if (order === 'regression' && position >= places.length / 2 && random.uniform() < 0.25) {
      light = { ...light, label: otherThan(truth, log.labels, random.uniform()) };
    }
    return { id: `${log.name}-${order}-${seed}-${event}`, signature, answers: [light, answerOf('heavy', log, event)], truth };
  });
}

function placesOf(log: PairLog, order: Order, random: Random): number[] {
  const file = Array.from(log.truths, (_, event) => event);
  if (order === 'natural') return file;
  if (order !== 'prior') return shuffled(file, random);
  const keys = file.map((event) => (isHard(log, event) ? latest(random, 4) : random.uniform()));
  return file.sort((a, b) => keys[a]! - keys[b]!);
}

function isHard({ light, heavy, truths }: PairLog, event: number): boolean {
  return light.labels[event] !== truths[event] && heavy.labels[event] === truths[event];
}

function latest(random: Random, draws: number): number {
  return Math.max(...Array.from({ length: draws }, () => random.uniform()));
}

function otherThan(label: number, count: number, draw: number): number {
  return (label + 1 + Math.floor(draw * (count - 1))) % count;
}
