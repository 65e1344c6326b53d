import type { Producer } from 'kafkajs';
import { partitionFor } from '../murmur2.ts';
import type { OutRecord, Publisher } from '../port.ts';
import type { ClusterAdmin } from './admin.ts';
import type { Clients } from './client.ts';
import { producerDefaults, send, transactionTimeoutMs } from './writer.ts';
import { rounds, type Place } from './wire.ts';

/** Each call is one transaction: all of its records or none. Whoever opens the same id later fences this one. */
export class AtomicPublisher implements Publisher {
  readonly #admin: ClusterAdmin;
  readonly #producer: Producer;
  #last: Promise<void> = Promise.resolve();

  constructor(clients: Clients, admin: ClusterAdmin, transactionalId: string) {
    this.#admin = admin;
    const ids = { idempotent: false, transactionalId, transactionTimeout: transactionTimeoutMs };
    this.#producer = clients.kafka().producer({ ...producerDefaults, ...ids, retry: { retries: 0 } });
  }

  async open(): Promise<this> {
    await this.#producer.connect();
    await (await this.#producer.transaction()).abort();
    return this;
  }

  /** After an error its fate is not known and every later call fails: open another, and read what is there. */
  publish(records: readonly Omit<OutRecord, 'from' | 'lane'>[]): Promise<void> {
    this.#last = this.#last.then(() => this.#send(records));
    this.#last.catch(() => undefined);
    return this.#last;
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#producer.disconnect();
  }

  async #send(records: readonly Omit<OutRecord, 'from' | 'lane'>[]): Promise<void> {
    const placed: Place[] = [];
    for (const record of records) placed.push({ ...record, partition: record.partition ?? (await this.#place(record)) });
    const transaction = await this.#producer.transaction();
    for (const round of rounds(placed)) await send((batch) => transaction.sendBatch(batch), round);
    await transaction.commit();
  }

  async #place({ topic, key }: Omit<OutRecord, 'from' | 'lane'>): Promise<number> {
    const count = await this.#admin.partitions(topic);
    return key === null ? 0 : partitionFor(key, count);
  }
}
