import type { Producer } from 'kafkajs';
import { partitionFor } from '../murmur2.ts';
import type { OutRecord, Publisher } from '../port.ts';
import type { ClusterAdmin } from './admin.ts';
import type { Clients } from './client.ts';
import { producerDefaults, send } from './writer.ts';
import { rounds, type Place } from './wire.ts';

/** An idempotent producer with one request in flight: concurrent sends could take the same sequence number and lose a record. */
export class KafkaPublisher implements Publisher {
  readonly #admin: ClusterAdmin;
  readonly #clients: Clients;
  #producer: Producer | undefined;
  #last: Promise<void> = Promise.resolve();
  #roundRobin = 0;

  constructor(clients: Clients, admin: ClusterAdmin) {
    this.#clients = clients;
    this.#admin = admin;
  }

  async open(): Promise<this> {
    this.#producer = this.#clients.kafka().producer(producerDefaults);
    await this.#producer.connect();
    return this;
  }

  /** Resolves when all records are written. Calls are served one after the other. */
  publish(records: readonly Omit<OutRecord, 'from' | 'lane'>[]): Promise<void> {
    const sent = this.#last.then(() => this.#send(records));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#producer?.disconnect();
    this.#producer = undefined;
  }

  async #send(records: readonly Omit<OutRecord, 'from' | 'lane'>[]): Promise<void> {
    const placed: Place[] = [];
    for (const record of records) placed.push({ ...record, partition: record.partition ?? (await this.#place(record)) });
    if (this.#producer === undefined) await this.open();
    try {
      for (const round of rounds(placed)) await send((batch) => this.#producer!.sendBatch(batch), round);
    } catch (thrown) {
      // Its sequence numbers may no longer match the broker's: the next call begins with a new one.
      const broken = this.#producer;
      this.#producer = undefined;
      await broken?.disconnect().catch(() => undefined);
      throw thrown;
    }
  }

  async #place({ topic, key }: Omit<OutRecord, 'from' | 'lane'>): Promise<number> {
    const count = await this.#admin.partitions(topic);
    return key === null ? this.#roundRobin++ % count : partitionFor(key, count);
  }
}
