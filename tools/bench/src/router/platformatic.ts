import { topicsOf } from '@sluice/contracts';
import { Consumer, Producer, stringSerializers, type Message } from '@platformatic/kafka';
import type { Job, Meter } from './job.ts';

const lingerMs = 100;
const header = Buffer.alloc(60, 7);

/** The same copy with @platformatic/kafka: one producer, fenced by the group's generation (KIP-447), one transaction over all partitions. */
export async function startPlatformatic(job: Job, meter: Meter) {
  const bootstrapBrokers = job.brokers.split(',');
  const shared = { clientId: job.run, bootstrapBrokers, autocreateTopics: false } as const;
  const consumer = new Consumer({ ...shared, groupId: job.run, maxWaitTime: 100, maxBytes: 8 << 20 });
  const producer = new Producer<Buffer, Buffer, string, Buffer>({
    ...shared,
    transactionalId: job.run,
    idempotent: true,
    acks: -1,
    serializers: { headerKey: stringSerializers.headerKey },
  });
  const stream = await consumer.consume({ topics: [job.input], autocommit: false, mode: 'earliest' });
  let ending = false;
  void (async () => {
    let slice: Message[] = [];
    let [taken, since] = [0, 0];
    for await (const message of stream) {
      meter.begin();
      if (slice.length === 0) since = performance.now();
      slice.push(message);
      taken++;
      // Where the others commit a slice for each of six partitions, here one transaction is for all.
      if (slice.length < 6 * job.slice && taken !== job.events && performance.now() - since < lingerMs) continue;
      const done = slice;
      slice = [];
      await copy({ job, producer, consumer, slice: done });
      meter.committed(done.length);
      if (ending) return;
    }
  })();
  return {
    async stop() {
      ending = true;
      await Promise.race([consumer.close(true), new Promise((resolve) => setTimeout(resolve, 2_000))]);
    },
  };
}

interface Copying {
  readonly job: Job;
  readonly producer: Producer<Buffer, Buffer, string, Buffer>;
  readonly consumer: Consumer;
  readonly slice: readonly Message[];
}

async function copy({ job, producer, consumer, slice }: Copying): Promise<void> {
  const topics = ['fast', 'standard', 'heavy'].map(topicsOf(job.run).model);
  const last = new Map<number, Message>();
  const messages = slice.map((message) => {
    last.set(message.partition, message);
    const topic = topics[Number(message.offset) % 3]!;
    const { key, value, partition, timestamp } = message;
    return { topic, key, value, partition, timestamp, headers: { 'sluice-tag': header } };
  });
  const transaction = await producer.beginTransaction();
  await transaction.addConsumer(consumer);
  await transaction.send({ messages, acks: -1 });
  for (const message of last.values()) await transaction.addOffset(message);
  await transaction.commit();
}
