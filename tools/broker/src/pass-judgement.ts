import type { Bus, Headers, InRecord } from '@sluice/streaming';
import type { JudgeRecord } from './console-format.ts';
import type { BrokerHandle } from './handle.ts';
import { readWithJava } from './java-reader.ts';
import { judge, type Verdict } from './judge.ts';

export interface Judgement extends Verdict {
  /** Who read the topics: Kafka's own consumer, or, where there is no Java or no broker, the bus under test itself. */
  readonly by: 'java' | 'bus';
}

/** A flow as it ran: what to read, and how. */
export interface JudgedRun {
  readonly broker: Pick<BrokerHandle, 'brokers' | 'judge' | 'kind'>;
  readonly bus: Pick<Bus, 'readAll'>;
  readonly topics: { readonly requests: string; readonly predictions: string; readonly deadLetters: string; model(name: string): string };
  /** Models whose topics belong to the way of a request; their order is judged too. */
  readonly models: readonly string[];
  /** Requests that were read earlier and may be gone from their topic. */
  readonly remembered?: readonly JudgeRecord[];
  /** Only what was written from this time on, in milliseconds since the epoch. */
  readonly since?: number;
}

/**
 * Reads requests, model topics, predictions and dead letters of a flow, by a client that shares no code with ours where there is
 * one, and counts what was lost, doubled or out of order.
 * @throws SluiceError SLUICE_JUDGE_FAILED when the second client could not read to the end.
 */
export async function passJudgement({ broker, bus, topics, models, remembered = [], since = 0 }: JudgedRun): Promise<Judgement> {
  const by = broker.judge === undefined || broker.brokers === undefined ? 'bus' : 'java';
  const readAll = async (topic: string): Promise<JudgeRecord[]> =>
    by === 'java' ? await readWithJava({ handle: broker, topic }) : (await bus.readAll([topic])).map(asJudgeRecord);
  const read = async (topic: string) => (await readAll(topic)).filter(({ timestamp }) => timestamp >= since);
  // Each reader of Kafka's own is a JVM: two at a time.
  const names = [topics.requests, topics.predictions, topics.deadLetters, ...models.map((model) => topics.model(model))];
  const [requests, predictions, deadLetters, ...routed] = (await inPairs(names, read)) as [JudgeRecord[], JudgeRecord[], JudgeRecord[]];
  return { ...judge({ requests: united(remembered, requests), predictions, deadLetters, routed: routed.flat() }), by };
}

async function inPairs<T>(topics: readonly string[], read: (topic: string) => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (let at = 0; at < topics.length; at += 2) found.push(...(await Promise.all(topics.slice(at, at + 2).map(read))));
  return found;
}

function united(...readings: readonly (readonly JudgeRecord[])[]): JudgeRecord[] {
  return [...new Map(readings.flat().map((record) => [`${record.topic}/${record.partition}/${record.offset}`, record])).values()];
}

/** A record of the bus in the judge's form. */
function asJudgeRecord({ topic, partition, offset, timestamp, key, headers }: InRecord): JudgeRecord {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    const one = lastOf(value);
    return one === undefined ? [] : [[name, Buffer.from(one)] as const];
  });
  return { topic, partition, offset, timestamp, key, headers: Object.fromEntries(entries) };
}

function lastOf(value: Headers[string]): Buffer | string | undefined {
  return Array.isArray(value) ? (value.at(-1) as Buffer | string | undefined) : (value as Buffer | string | undefined);
}
