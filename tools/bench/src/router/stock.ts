import { CompressionTypes, Kafka, logLevel, type EachBatchPayload, type Message, type Producer } from 'kafkajs-stock';
import { topicsOf } from '@sluice/contracts';
import type { Job, Meter } from './job.ts';

/** What a tag takes, unread: the copy decides nothing. */
const header = Buffer.alloc(60, 7);

/**
 * A bare copy with kafkajs as it is published: one transactional producer per partition, slices, three output topics in turn.
 * Settings are the best that we know of for it (a first retry after 20 ms: the default of 300 ms halts it after each commit).
 */
export async function startStock(job: Job, meter: Meter) {
  const kafka = new Kafka({ clientId: job.run, brokers: job.brokers.split(','), logLevel: logLevel.NOTHING });
  const retry = { initialRetryTime: 20, maxRetryTime: 1_000, retries: 20 };
  const producers = new Map<number, Promise<Producer>>();
  const open = async (partition: number): Promise<Producer> => {
    const producer = kafka.producer({ transactionalId: `${job.run}-${partition}`, maxInFlightRequests: 1, retry });
    await producer.connect();
    return producer;
  };
  const consumer = kafka.consumer({ groupId: job.run, maxWaitTimeInMs: 100, maxBytesPerPartition: 1 << 20, maxBytes: 8 << 20, retry });
  await consumer.connect();
  await consumer.subscribe({ topics: [job.input], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 16,
    eachBatch: async (payload) => {
      const { partition } = payload.batch;
      if (!producers.has(partition)) producers.set(partition, open(partition));
      await copy({ job, meter, payload, producer: await producers.get(partition)! });
    },
  });
  return {
    async stop() {
      await consumer.disconnect();
      for (const producer of producers.values()) await (await producer).disconnect();
    },
  };
}

interface Copying {
  readonly job: Job;
  readonly meter: Meter;
  readonly payload: EachBatchPayload;
  readonly producer: Producer;
}

async function copy({ job, meter, payload: { batch, resolveOffset, heartbeat }, producer }: Copying): Promise<void> {
  meter.begin();
  const { model } = topicsOf(job.run);
  const topics = ['fast', 'standard', 'heavy'].map(model);
  for (let from = 0; from < batch.messages.length; from += job.slice) {
    const slice = batch.messages.slice(from, from + job.slice);
    const byTopic = topics.map((topic) => ({ topic, messages: [] as Message[] }));
    for (const { key, value, timestamp, headers, offset } of slice) {
      const tagged = { ...headers, 'sluice-tag': header };
      byTopic[Number(offset) % 3]!.messages.push({ key, value, timestamp, headers: tagged, partition: batch.partition });
    }
    const transaction = await producer.transaction();
    await transaction.sendBatch({
      acks: -1,
      compression: CompressionTypes.None,
      topicMessages: byTopic.filter((one) => one.messages.length > 0),
    });
    const last = slice.at(-1)!.offset;
    const partitions = [{ partition: batch.partition, offset: String(Number(last) + 1) }];
    await transaction.sendOffsets({ consumerGroupId: job.run, topics: [{ topic: batch.topic, partitions }] });
    await transaction.commit();
    resolveOffset(last);
    meter.committed(slice.length);
    await heartbeat();
  }
}
