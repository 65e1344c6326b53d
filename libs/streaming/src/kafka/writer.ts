import { CompressionTypes, type Producer, type RecordMetadata, type TopicMessages } from 'kafkajs';
import type { TopicPartition } from '../port.ts';
import { clientRetry, type Clients } from './client.ts';
import { rounds, toMessage, type Place } from './wire.ts';

/** Must outlast the longest slice between two requests, and end what a vanished process left open soon. */
export const transactionTimeoutMs = 20_000;

/** What is to become durable together. */
export interface Commit {
  readonly group: string;
  readonly records: readonly Place[];
  readonly partition: TopicPartition;
  /** Offset to commit: the next one to read. */
  readonly next: number;
}

/** Writes slices of one partition. After any error it is poisoned: `close` it and open another. */
export interface Writer {
  open(): Promise<void>;
  commit(commit: Commit): Promise<void>;
  close(): Promise<void>;
}

/**
 * One transactional producer with the stable id group/topic/partition. Opening it initialises the id, which fences whoever had
 * it before and ends their open transaction: the only fence that the client's protocol versions give.
 */
export class TransactionalWriter implements Writer {
  readonly #producer: Producer;

  constructor(clients: Clients, group: string, { topic, partition }: TopicPartition) {
    this.#producer = clients.kafka().producer({
      ...producerDefaults,
      // Transactions are idempotent by themselves; the option would initialise a second producer id.
      idempotent: false,
      transactionalId: `${group}/${topic}/${partition}`,
      transactionTimeout: transactionTimeoutMs,
      // A retry inside the client can skip records whose leader moved; ours begins with a new producer instead.
      retry: { retries: 0 },
    });
  }

  async open(): Promise<void> {
    await this.#producer.connect();
    const transaction = await this.#producer.transaction();
    await transaction.abort();
  }

  async commit({ group, records, partition: { topic, partition }, next }: Commit): Promise<void> {
    const transaction = await this.#producer.transaction();
    for (const round of rounds(records)) await send((batch) => transaction.sendBatch(batch), round);
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] });
    await transaction.commit();
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

/** At least once: an idempotent write, then the offset through the group, which refuses it from a member it has expelled. */
export class IdempotentWriter implements Writer {
  readonly #producer: Producer;
  readonly #commitOffset: (partition: TopicPartition, next: number) => Promise<void>;

  constructor(clients: Clients, commitOffset: (partition: TopicPartition, next: number) => Promise<void>) {
    this.#producer = clients.kafka().producer(producerDefaults);
    this.#commitOffset = commitOffset;
  }

  async open(): Promise<void> {
    await this.#producer.connect();
  }

  async commit({ records, partition, next }: Commit): Promise<void> {
    for (const round of rounds(records)) await send((batch) => this.#producer.sendBatch(batch), round);
    await this.#commitOffset(partition, next);
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

export const producerDefaults = {
  idempotent: true,
  retry: clientRetry,
  maxInFlightRequests: 1,
  allowAutoTopicCreation: false,
  // Every record comes with its partition: the client's own choice would move keyless records in a retry.
  createPartitioner:
    () =>
    ({ message }: { message: { partition?: number | undefined } }) => {
      if (message.partition === undefined) throw new Error('a record without a partition reached the client');
      return message.partition;
    },
};

type Batch = { acks: number; compression: CompressionTypes; topicMessages: TopicMessages[] };

/** Sends one request per broker and checks that each partition was acknowledged: the client can resolve without. */
export async function send(sendBatch: (batch: Batch) => Promise<RecordMetadata[]>, records: readonly Place[]): Promise<void> {
  const byTopic = new Map<string, TopicMessages>();
  const missing = new Set<string>();
  for (const record of records) {
    let topic = byTopic.get(record.topic);
    if (topic === undefined) byTopic.set(record.topic, (topic = { topic: record.topic, messages: [] }));
    topic.messages.push(toMessage(record));
    missing.add(`${record.topic}/${record.partition}`);
  }
  const answers = await sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages: [...byTopic.values()] });
  for (const { topicName, partition } of answers) missing.delete(`${topicName}/${partition}`);
  if (missing.size > 0) throw new Error(`not acknowledged: ${[...missing].join(', ')}`);
}
