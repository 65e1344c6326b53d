import { placeOf, type Cluster, type Partition } from '../model/cluster.ts';
import type { BatchRecord } from '../protocol/record-batch.ts';
import type { Sent } from './feed.ts';

export interface Trial {
  readonly cluster: Cluster;
  readonly group: string;
  readonly input: string;
  /** Topics that must hold each good record once. */
  readonly outputs: readonly string[];
  readonly deadLetters: string;
  readonly sent: readonly Sent[];
  /** Records that expired before they were processed: they may be missing, if the dead letters say so. */
  readonly excused: ReadonlySet<string>;
  /** Whether records may come again: at-least-once delivery. Order is then that of their first coming. */
  readonly mayRepeat: boolean;
}

const sourceHeader = 'sluice-source';
const untilHeader = 'sluice-until';
const maxShown = 5;

/**
 * Compares what was written with the committed records of the broker's own logs, which no client read.
 * @returns what is wrong, in words; nothing when all is well
 */
export function judgeLogs(trial: Trial): string[] {
  const { cluster, outputs, deadLetters, sent, mayRepeat } = trial;
  const poison = sent.filter(({ isPoison }) => isPoison);
  const good = sent.filter(({ isPoison }) => !isPoison);
  return [
    ...outputs.flatMap((topic) => count(trial, topic, good)),
    ...count(trial, deadLetters, poison),
    ...untold(trial, good),
    ...[...outputs, deadLetters].flatMap((topic) =>
      cluster.partitionsOf(topic).flatMap(({ log }) => disorder(topic, mayRepeat ? firstOf(log.committed()) : log.committed(), sent)),
    ),
    ...offsets(trial),
    ...(cluster.transactions.open > 0 ? [`${cluster.transactions.open} transactions are still open`] : []),
  ];
}

function count({ cluster, excused, mayRepeat }: Trial, topic: string, expected: readonly Sent[]): string[] {
  const found = new Map<string, number>();
  for (const { log } of cluster.partitionsOf(topic))
    for (const { value } of log.committed().filter((record) => gapOf(record) === undefined))
      found.set(String(value), (found.get(String(value)) ?? 0) + 1);
  const ids = new Set(expected.map(({ id }) => id));
  const lost = [...ids].filter((id) => !found.has(id) && !excused.has(id));
  const doubled = [...found].filter(([id, times]) => ids.has(id) && times > 1 && !mayRepeat).map(([id, times]) => `${id} x${times}`);
  const phantom = [...found.keys()].filter((id) => !ids.has(id));
  return [...say(`lost on ${topic}`, lost), ...say(`doubled on ${topic}`, doubled), ...say(`never committed, but on ${topic}`, phantom)];
}

/** The offsets of one input partition that a dead letter says expired unread. */
function gapOf({ headers }: BatchRecord): { partition: number; from: number; until: number } | undefined {
  const source = /\/(\d+)\/(\d+)$/.exec(headers[sourceHeader] ?? '');
  const until = headers[untilHeader];
  return source === null || until === undefined
    ? undefined
    : { partition: Number(source[1]), from: Number(source[2]), until: Number(until) };
}

/** What is missing because it expired must be told, unless it was gone before the group had a place in the partition. */
function untold({ cluster, group, input, outputs, deadLetters, excused }: Trial, good: readonly Sent[]): string[] {
  const [output] = outputs;
  const found = new Set(cluster.partitionsOf(output!).flatMap(({ log }) => log.committed().map(({ value }) => String(value))));
  const gaps = cluster.partitionsOf(deadLetters).flatMap(({ log }) => log.committed().flatMap((record) => gapOf(record) ?? []));
  const { history } = cluster.offsetsOf(group);
  const begun = (partition: number) => history.find(({ place }) => place === placeOf(input, partition))?.to ?? Infinity;
  const silent = good.filter(
    ({ id, partition, offset }) =>
      excused.has(id) &&
      !found.has(id) &&
      offset >= begun(partition) &&
      !gaps.some((gap) => gap.partition === partition && gap.from <= offset && offset < gap.until),
  );
  return say(
    'expired and nothing says so',
    silent.map(({ id }) => id),
  );
}

const say = (what: string, which: readonly string[]): string[] =>
  which.length === 0 ? [] : [`${which.length} ${what}: ${which.slice(0, maxShown).join(', ')}${which.length > maxShown ? ', ...' : ''}`];

function firstOf(records: readonly BatchRecord[]): BatchRecord[] {
  const seen = new Set<string>();
  return records.filter(({ value }) => seen.size < seen.add(String(value)).size);
}

/** Records of one key come from one partition here, so their source offsets must rise. */
function disorder(topic: string, records: readonly BatchRecord[], sent: readonly Sent[]): string[] {
  const byId = new Map(sent.map((one) => [one.id, one]));
  const last = new Map<string, number>();
  const wrong: string[] = [];
  for (const { key, value, headers } of records) {
    const source = /\/(\d+)\/(\d+)$/.exec(headers[sourceHeader] ?? '');
    const from = byId.get(String(value));
    if (from === undefined) continue;
    if (source === null || Number(source[1]) !== from.partition || Number(source[2]) !== from.offset)
      wrong.push(`${from.id} carries ${headers[sourceHeader]}`);
    const lane = `${key?.toString('hex')} of ${from.partition}`;
    if (from.offset < (last.get(lane) ?? -1)) wrong.push(`${from.id} stands behind a later one of its key`);
    last.set(lane, from.offset);
  }
  return say(`out of order on ${topic}`, wrong);
}

/** Nothing that can be read is left uncommitted. A partition may be emptied by retention before anybody committed its end. */
export const isCommitted = ({ cluster, group }: Pick<Trial, 'cluster' | 'group'>, { topic, partition, log }: Partition): boolean =>
  Math.max(log.start, cluster.offsetsOf(group).get(placeOf(topic, partition)) ?? 0) === log.end;

/** Offsets end at the end of the input, and no transaction ever took them back: that would be one of a zombie. */
function offsets(trial: Trial): string[] {
  const { cluster, group, input } = trial;
  const { history } = cluster.offsetsOf(group);
  const zombies = history.filter(({ from, to, producer }) => producer !== undefined && from !== undefined && to <= from);
  const behind = cluster.partitionsOf(input).filter((partition) => !isCommitted(trial, partition));
  return [
    ...say(
      'commits took offsets back',
      zombies.map(({ place, from, to }) => `${place} ${from} -> ${to}`),
    ),
    ...say(
      'partitions are not committed to their end',
      behind.map(({ topic, partition }) => placeOf(topic, partition)),
    ),
  ];
}
