import type { Example, Flow } from '@sluice/domain';
import type { Fact } from '../join/fact.ts';

/** What a join emits, in words that can be compared: `decision a`, `truth a:1 [fast,heavy]`, `unmatched a@20`. */
export type Told = string;

/** An example in these words. */
export function toldOf(flow: Flow, { id, part, truth, answers }: Example): Told {
  const tiers = `[${answers.map((answer) => answer.tier).join(',')}]`;
  if (part === 'decision') return `decision ${id}`;
  return part === 'truth' ? `truth ${id}:${flow.labels[truth!]} ${tiers}` : `${part} ${id} ${tiers}`;
}

/**
 * The join of a whole log at once, written from its definition and not from its implementation: first the stream time at each
 * fact, then each id by itself. No store, no index, no slices, no bytes.
 */
export function batchJoin(flow: Flow, log: readonly Fact[]): Told[] {
  const { windowMs, graceMs } = flow.feedback;
  const times = log.map((fact) => eventTime(fact, graceMs));
  const clocks: number[] = [];
  for (const time of times) clocks.push(Math.max(clocks[clocks.length - 1] ?? -Infinity, time));
  const byId = Map.groupBy(
    log.map((fact, at) => ({ fact, time: times[at]!, clock: clocks[at]! })),
    ({ fact }) => idOf(fact),
  );
  const told: Told[] = [];
  for (const [id, mine] of byId) told.push(...joinOne({ flow, id, keep: windowMs + graceMs }, mine, clocks[clocks.length - 1]!));
  return told.sort();
}

interface Seen {
  readonly fact: Fact;
  readonly time: number;
  readonly clock: number;
}

interface Life {
  end: number;
  prediction?: { readonly at: number; readonly ran: readonly string[]; readonly drawn: boolean };
  outcome?: { readonly at: number; readonly label: string };
  shadows: Set<string>;
  shadowTold: boolean;
  done: boolean;
}

function joinOne({ flow, id, keep }: { flow: Flow; id: string; keep: number }, facts: readonly Seen[], lastClock: number): Told[] {
  const told: Told[] = [];
  const tiers = flow.tiers.map((tier) => tier.name);
  let life: Life | undefined;
  const answersOf = (of: Life): string => [...of.prediction!.ran, ...tiers.filter((tier) => of.shadows.has(tier))].join(',');
  const close = (of: Life): void => {
    if (of.done) return;
    if (of.prediction && of.outcome) told.push(`truth ${id}:${of.outcome.label} [${answersOf(of)}]`);
    else if (of.prediction) told.push(`unlabelled ${id} [${answersOf(of)}]`);
    else if (of.outcome) told.push(`unmatched ${id}@${of.outcome.at}`);
  };
  const settle = (of: Life): void => {
    if (!of.prediction || of.done) return;
    if (of.outcome && Math.abs(of.outcome.at - of.prediction.at) > flow.feedback.windowMs) {
      told.push(`unmatched ${id}@${of.outcome.at}`);
      delete of.outcome;
    }
    const all = tiers.every((tier) => of.prediction!.ran.includes(tier) || of.shadows.has(tier));
    if (of.prediction.drawn && !all) return;
    if (of.shadows.size > 0 && !of.shadowTold) told.push(`shadow ${id} [${answersOf(of)}]`);
    of.shadowTold = true;
    if (!of.outcome) return;
    told.push(`truth ${id}:${of.outcome.label} [${answersOf(of)}]`);
    of.done = true;
  };
  for (const { fact, time, clock } of facts) {
    if (life && life.end < clock) {
      close(life);
      life = undefined;
    }
    const born = (end: number): Life => ({ end, shadows: new Set(), shadowTold: false, done: false });
    if (fact.kind === 'prediction') {
      if (life?.done || life?.prediction || time + keep < clock) continue;
      const { requestedAt: _, audit, answers } = fact.prediction;
      life ??= born(0);
      life.end = time + keep;
      life.prediction = { at: time, ran: answers.map((answer) => answer.tier), drawn: audit.drawn };
      told.push(`decision ${id}`);
      for (const tier of [...life.shadows]) if (!audit.drawn || life.prediction.ran.includes(tier)) life.shadows.delete(tier);
    } else if (fact.kind === 'outcome') {
      if (life?.done || life?.outcome) continue;
      if (!life?.prediction && time + keep < clock) {
        told.push(`unmatched ${id}@${time}`);
        continue;
      }
      life ??= born(0);
      if (!life.prediction) life.end = Math.max(life.end, time + keep);
      life.outcome = { at: time, label: fact.outcome.label };
    } else {
      const { tier } = fact.shadow.answer;
      if (!tiers.includes(tier)) continue;
      if (life?.done || life?.prediction?.drawn === false || life?.prediction?.ran.includes(tier)) continue;
      life ??= born((clock === -Infinity ? fact.loggedAt : clock) + keep);
      life.shadows.add(tier);
    }
    settle(life);
  }
  if (life && life.end < lastClock) close(life);
  return told;
}

function eventTime(fact: Fact, grace: number): number {
  if (fact.kind === 'shadow') return -Infinity;
  const at = fact.kind === 'prediction' ? fact.prediction.requestedAt : fact.outcome.at;
  return Math.min(at, fact.loggedAt + grace);
}

function idOf(fact: Fact): string {
  return fact.kind === 'prediction' ? fact.prediction.id : fact.kind === 'shadow' ? fact.shadow.id : fact.outcome.id;
}
