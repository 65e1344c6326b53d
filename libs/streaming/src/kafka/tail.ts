import { SluiceError } from '@sluice/domain';
import type { InRecord, TopicPartition } from '../port.ts';
import type { ClusterAdmin } from './admin.ts';
import type { BusLogger, Clients } from './client.ts';
import { protocolType } from './faults.ts';
import { internals, readCommitted, type ClientCluster, type FetchedPartition, type RawMessage } from './internals.ts';
import { toRecord } from './wire.ts';
import { backoff, pause } from './time.ts';

const maxWaitMs = 100;
/** Between two fetches of a reader that follows the end. */
const restMs = 10;
const maxBytesPerPartition = 1 << 20;
const maxBytes = 8 << 20;

/** A partition to follow: read from `position` on, until `end` where one is given. */
export interface TailPartition extends TopicPartition {
  position: number;
  readonly end?: number;
}

export interface TailOptions {
  readonly clients: Clients;
  readonly admin: ClusterAdmin;
  readonly partitions: readonly TailPartition[];
  /** Called with the records of one partition at a time, in order. A throw ends the tail. */
  readonly onRecords: (records: readonly InRecord[]) => void | Promise<void>;
  /** Called after each fetch whose records were handed over, also when it moved over nothing but markers. */
  readonly onPosition?: () => void;
}

/**
 * Follows partitions by position, read-committed, without a consumer group: nothing to join, to wait for or to clean up
 * after a kill, and any number of readers see every partition.
 */
export class Tail {
  readonly #options: TailOptions;
  readonly #cluster: ClientCluster;
  readonly #logger: BusLogger;
  readonly #closing = new AbortController();
  /** Ends when everything up to the ends is read, or after `close`; rejects with what `onRecords` threw. */
  readonly done: Promise<void>;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#cluster = options.clients.cluster();
    this.#logger = options.clients.logger;
    this.done = this.#run();
    this.done.catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.done.catch(() => undefined);
  }

  get #open(): readonly TailPartition[] {
    return this.#options.partitions.filter(({ position, end }) => end === undefined || position < end);
  }

  async #run(): Promise<void> {
    try {
      for (let failures = 0; !this.#closing.signal.aborted && this.#open.length > 0;) {
        let fetched: readonly [TailPartition, FetchedPartition][];
        try {
          fetched = await this.#fetch();
          failures = 0;
        } catch (thrown) {
          await this.#recover(thrown, failures++);
          continue;
        }
        for (const [partition, data] of fetched) await this.#hand(partition, data);
        this.#options.onPosition?.();
        // Where records trickle in, each would otherwise cost the broker a fetch of its own.
        if (this.#open.every(({ end }) => end === undefined)) await pause(restMs, this.#closing.signal);
      }
    } finally {
      await this.#cluster.disconnect().catch(() => undefined);
    }
  }

  async #fetch(): Promise<readonly [TailPartition, FetchedPartition][]> {
    const open = this.#open;
    await this.#cluster.connect();
    await this.#cluster.addMultipleTargetTopics([...new Set(open.map(({ topic }) => topic))]);
    await this.#cluster.refreshMetadataIfNecessary();
    const answers = await Promise.all([...this.#byLeader(open)].map(([leader, partitions]) => this.#fetchFrom(leader, partitions)));
    return answers.flat();
  }

  #byLeader(partitions: readonly TailPartition[]): Map<number, TailPartition[]> {
    const byLeader = new Map<number, TailPartition[]>();
    for (const partition of partitions) {
      const found = this.#cluster
        .findTopicPartitionMetadata(partition.topic)
        .find(({ partitionId }) => partitionId === partition.partition);
      const leader = found?.leader ?? -1;
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
    }
    return byLeader;
  }

  async #fetchFrom(leader: number, partitions: readonly TailPartition[]): Promise<[TailPartition, FetchedPartition][]> {
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    const { responses } = await broker.fetch({
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: readCommitted,
      topics: partitions.map(({ topic, partition, position }) => ({
        topic,
        partitions: [{ partition, fetchOffset: String(position), maxBytes: maxBytesPerPartition }],
      })),
    });
    return responses.flatMap(({ topicName, partitions: data }) =>
      data.flatMap((one): [TailPartition, FetchedPartition][] => {
        const asked = partitions.find(({ topic, partition }) => topic === topicName && partition === one.partition);
        return asked ? [[asked, one]] : [];
      }),
    );
  }

  async #hand(partition: TailPartition, data: FetchedPartition): Promise<void> {
    const last = data.messages.at(-1);
    if (last === undefined || this.#closing.signal.aborted) return;
    const batch = new internals.Batch(partition.topic, String(partition.position), data);
    const records = batch.messages.map((message) => toRecord(partition, message));
    for (const { topic, damage } of records) if (damage !== undefined) throw new SluiceError('SLUICE_BATCH_DAMAGED', `${topic}: ${damage}`);
    const bounded = partition.end === undefined ? records : records.filter(({ offset }) => offset < partition.end!);
    if (bounded.length > 0) await this.#options.onRecords(bounded);
    partition.position = Math.max(partition.position, nextOffset(last));
  }

  async #recover(thrown: unknown, failures: number): Promise<void> {
    const type = protocolType(thrown);
    this.#logger[failures > 3 ? 'warn' : 'debug']({ event: 'fetch-failed', type, error: String(thrown) }, 'a fetch failed, trying again');
    if (type === 'OFFSET_OUT_OF_RANGE') await this.#moveIntoRange();
    const { name, host, port } = thrown as { name?: string; host?: string; port?: number };
    if (name === 'KafkaJSConnectionClosedError' && host !== undefined) this.#cluster.removeBroker({ host, port: port! });
    await pause(backoff(failures), this.#closing.signal);
    await this.#cluster.refreshMetadata().catch(() => undefined);
  }

  /** Retention overtook this reader: what is gone cannot be read, and is said aloud. */
  async #moveIntoRange(): Promise<void> {
    for (const partition of this.#options.partitions) {
      const { low } = await this.#options.admin.bounds(partition);
      if (partition.position >= low) continue;
      const { topic, position } = partition;
      this.#logger.warn(
        { event: 'records-gone', topic, partition: partition.partition, from: position, to: low },
        'records expired unread',
      );
      partition.position = low;
    }
  }
}

/** The offset after the record batch of a message: its last records may have been compacted away. */
function nextOffset(last: RawMessage): number {
  const context = last.batchContext;
  return context === undefined ? Number(last.offset) + 1 : Number(context.firstOffset) + context.lastOffsetDelta + 1;
}
