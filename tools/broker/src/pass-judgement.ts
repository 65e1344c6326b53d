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
}

/**
 * Reads requests, model topics, predictions and dead letters of a flow, by a client that shares no code with ours where there is
 * one, and counts what was lost, doubled or out of order.
 * @throws SluiceError SLUICE_JUDGE_FAILED when the second client could not read to the end.
 */
export async function passJudgement({ broker, bus, topics, models }: JudgedRun): Promise<Judgement> {
  const by = broker.judge === undefined || broker.brokers === undefined ? 'bus' : 'java';
  const read = async (topic: string): Promise<JudgeRecord[]> =>
    by === 'java' ? await readWithJava({ handle: broker, topic }) : (await bus.readAll([topic])).map(asJudgeRecord);
  // One after the other: each reader of Kafka's own is a JVM.
  const requests = await read(topics.requests);
  const predictions = await read(topics.predictions);
  const deadLetters = await read(topics.deadLetters);
  const routed: JudgeRecord[][] = [];
  for (const model of models) routed.push(await read(topics.model(model)));
  return { ...judge({ requests, predictions, deadLetters, routed: routed.flat() }), by };
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
