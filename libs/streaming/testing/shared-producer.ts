import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js';
import hooks from 'kafkajs/src/producer/transactionsV2.js';
import type { Producer } from 'kafkajs';
import type { Clients } from '../src/kafka/client.ts';
import { txnOffsetCommit, type Commit as OffsetCommit } from '../src/kafka/transactions-v2/txn-offset-commit.ts';
import { rounds } from '../src/kafka/wire.ts';
import { producerDefaults, send, TransactionalWriter, transactionTimeoutMs, type Commit, type Writer } from '../src/kafka/writer.ts';

interface Waiting {
  readonly commit: Commit;
  readonly settle: (error?: unknown) => void;
}

/**
 * KIP-447, to be measured against what we do: one transactional producer for all partitions of a process, fenced by the generation of the group.
 * What partitions want to commit while a transaction is under way goes into the next, all of it together. It does not survive an error.
 */
class SharedProducer {
  readonly #producer: Producer;
  #opened: Promise<void> | undefined;
  #waiting: Waiting[] = [];
  #isBusy = false;
  transactions = 0;

  constructor(clients: Clients, transactionalId: string) {
    const ids = { idempotent: false, transactionalId, transactionTimeout: transactionTimeoutMs };
    this.#producer = clients.kafka().producer({ ...producerDefaults, ...ids, retry: { retries: 0 } });
  }

  open(): Promise<void> {
    this.#opened ??= this.#producer
      .connect()
      .then(() => this.#producer.transaction())
      .then((first) => first.abort());
    return this.#opened;
  }

  commit(commit: Commit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      if (!this.#isBusy) void this.#run();
    });
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const together = this.#waiting;
      this.#waiting = [];
      const error = await this.#transact(together.map(({ commit }) => commit)).catch((thrown: unknown) => thrown);
      for (const { settle } of together) settle(error);
    }
    this.#isBusy = false;
  }

  async #transact(commits: readonly Commit[]): Promise<undefined> {
    const transaction = await this.#producer.transaction();
    for (const round of rounds(commits.flatMap(({ records }) => records))) await send((batch) => transaction.sendBatch(batch), round);
    const partitions = commits.map(({ partition, next }) => ({ partition: partition.partition, offset: String(next) }));
    const [{ group, partition }] = commits as [Commit];
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: partition.topic, partitions }] });
    await transaction.commit();
    this.transactions++;
    return undefined;
  }
}

interface Joined {
  readonly generationId: number;
  readonly memberId: string;
  joinAndSync(): Promise<unknown>;
}

/** From now on all pipes of this process write with one producer. Its pipes must read one topic. */
export function shareOneProducer(clients: Clients, transactionalId: string): SharedProducer {
  const shared = new SharedProducer(clients, transactionalId);
  const writer: Writer = { open: () => shared.open(), commit: (commit) => shared.commit(commit), close: async () => undefined };
  Object.assign(TransactionalWriter.prototype, writer);
  const { prototype } = ConsumerGroup as { prototype: Joined };
  const { joinAndSync } = prototype;
  const latest: { group?: Joined } = {};
  prototype.joinAndSync = function (this: Joined) {
    latest.group = this;
    return joinAndSync.call(this);
  };
  const member = () => ({ generation: latest.group!.generationId, member: latest.group!.memberId, instance: null });
  Object.assign(hooks, { txnOffsetCommit: (commit: OffsetCommit) => txnOffsetCommit({ ...commit, by: member() }) });
  return shared;
}
