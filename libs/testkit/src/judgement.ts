import { judge, type JudgeRecord, readWithJava, type Verdict } from '@sluice/broker';
import type { Headers, InRecord } from '@sluice/streaming';
import type { Kit } from './kit.ts';

export interface KitVerdict extends Verdict {
  /** Who read the topics: Kafka's own consumer, or, where there is no Java or no broker, the bus under test itself. */
  readonly by: 'java' | 'bus';
}

/** Reads requests, model topics, predictions and dead letters of the kit's flow and counts. */
export async function passJudgement(kit: Pick<Kit, 'broker' | 'bus' | 'topics' | 'models'>): Promise<KitVerdict> {
  const by = kit.broker.judge === undefined || kit.broker.brokers === undefined ? 'bus' : 'java';
  const read = async (topic: string): Promise<JudgeRecord[]> =>
    by === 'java' ? await readWithJava({ handle: kit.broker, topic }) : (await kit.bus.readAll([topic])).map(asJudgeRecord);
  const { topics, models } = kit;
  const requests = await read(topics.requests);
  const predictions = await read(topics.predictions);
  const deadLetters = await read(topics.deadLetters);
  const routed: JudgeRecord[][] = [];
  for (const model of models) routed.push(await read(topics.model(model)));
  return { ...judge({ requests, predictions, deadLetters, routed: routed.flat() }), by };
}

/** A record of the bus in the judge's form. */
export function asJudgeRecord({ topic, partition, offset, timestamp, key, headers }: InRecord): JudgeRecord {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    const one = lastOf(value);
    return one === undefined ? [] : [[name, Buffer.from(one)] as const];
  });
  return { topic, partition, offset, timestamp, key, headers: Object.fromEntries(entries) };
}

function lastOf(value: Headers[string]): Buffer | string | undefined {
  return Array.isArray(value) ? (value.at(-1) as Buffer | string | undefined) : (value as Buffer | string | undefined);
}
