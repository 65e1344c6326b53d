import { OnlineHead, seededRandom, type KnownEvent } from '@sluice/learning/simulation';
import { harmFloor, headRow, headWidth } from '@sluice/routing';
import type { SparseRow } from '@sluice/domain';
import type { PairLog } from './pair-log.ts';
import { setting } from './setting.ts';
import { tallyOf, type Tally } from './tally.ts';

/** A stream to run over. */
export interface Race {
  readonly log: PairLog;
  readonly events: readonly KnownEvent[];
  readonly seed: number;
}

/** Predicted harm at which all start: twice the declared loss. */
const startThreshold = 2 * setting.maxLoss;
const gain = 0.03;
const safeEnd = Math.log(1e-4);

/** One event as the rivals see it: what the head reads, and whether the light answer harms. */
interface Seen {
  readonly row: SparseRow;
  readonly harm: boolean;
}

/** What a rival does with one event, and with what it learns `truthDelay` events later. */
interface Rival {
  /** True: the light answer is served. `audited`: heavy runs too, unseen. */
  decide(seen: Seen): { readonly light: boolean; readonly audited: boolean; readonly probability: number };
  learn(seen: Seen, decided: { readonly light: boolean; readonly audited: boolean; readonly probability: number }): void;
}

/** Integral control of the threshold on audited truth alone. */
export function truthOnly(race: Race): Tally {
  const random = seededRandom(race.seed + 1000);
  const head = newHead(race.log);
  let theta = Math.log(startThreshold);
  let warm = 300;
  return raceOf(race, {
    decide({ row }) {
      const light = warm-- <= 0 && theta > safeEnd && predicted(head, row) <= Math.exp(theta);
      const probability = warm >= 0 ? 1 : setting.auditRate;
      return { light, audited: random.uniform() < probability, probability };
    },
    learn({ row, harm }, { light, audited, probability }) {
      theta = Math.min(0, theta + gain * (setting.maxLoss - (light && audited && harm ? 1 / probability : 0)));
      if (audited || !light) head.learn(row, harm ? 1 : 0, light ? Math.min(10, 1 / probability) : 1);
    },
  });
}

/** Explores on the user: heavy at random, else the light tier where its predicted harm is small. No audits, nothing controlled. */
export function epsilonGreedy(race: Race): Tally {
  const random = seededRandom(race.seed + 2000);
  const head = newHead(race.log);
  let warm = 300;
  return raceOf(race, {
    decide({ row }) {
      const explores = random.uniform() < setting.auditRate || warm-- > 0;
      return { light: !explores && predicted(head, row) <= startThreshold, audited: false, probability: 1 };
    },
    learn({ row, harm }, { light }) {
      if (!light) head.learn(row, harm ? 1 : 0, 1);
    },
  });
}

/** The cheapest fixed rule that keeps the declared loss, found after the end: a head fitted on every truth of the stream, then its threshold. */
export function hindsightBest(race: Race): Tally {
  const head = newHead(race.log);
  const seen = seenOf(race);
  for (let pass = 0; pass < 3; pass++) for (const { row, harm } of seen) head.learn(row, harm ? 1 : 0, 1);
  const scores = seen.map(({ row }) => head.predict(row));
  const byScore = seen.map((_, event) => event).sort((a, b) => scores[a]! - scores[b]!);
  let allowed = Math.floor(setting.maxLoss * seen.length);
  const light = new Uint8Array(seen.length);
  for (const event of byScore) {
    if (seen[event]!.harm && allowed-- <= 0) break;
    light[event] = 1;
  }
  const cheap = race.log.light.cost / race.log.heavy.cost;
  return tallyOf(
    Uint8Array.from(seen, ({ harm }, event) => (harm && light[event] === 1 ? 1 : 0)),
    Float64Array.from(light, (one) => cheap + (one === 1 ? 0 : 1)),
  );
}

function raceOf(race: Race, rival: Rival): Tally {
  const seen = seenOf(race);
  const decided: ReturnType<Rival['decide']>[] = [];
  const harmed = new Uint8Array(seen.length);
  const costs = new Float64Array(seen.length);
  const cheap = race.log.light.cost / race.log.heavy.cost;
  for (const [event, one] of seen.entries()) {
    const past = event - setting.truthDelay;
    if (past >= 0) rival.learn(seen[past]!, decided[past]!);
    const choice = rival.decide(one);
    decided.push(choice);
    harmed[event] = choice.light && one.harm ? 1 : 0;
    costs[event] = cheap + (choice.light && !choice.audited ? 0 : 1);
  }
  return tallyOf(harmed, costs);
}

function seenOf({ events, log }: Race): Seen[] {
  return events.map(({ signature, answers, truth }: KnownEvent) => ({
    row: headRow(signature, answers[0], 1, log.labels),
    harm: answers[0]!.label !== truth && answers[1]!.label === truth,
  }));
}

function newHead({ labels }: PairLog): OnlineHead {
  return OnlineHead.create(headWidth(1, labels, 'stop'));
}

function predicted(head: OnlineHead, row: SparseRow): number {
  return Math.max(harmFloor, head.predict(row));
}
