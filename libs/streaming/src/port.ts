import type { Clock, EpochMs, Source } from '@sluice/domain';

/** Header values as they stand on the wire; a header that occurs twice is an array. */
export type Headers = Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;

/** A record as read. `key`, `value` and headers are copies or slices that live until the slice is committed. */
export interface InRecord extends Source {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  /** Why the batch that ends at this offset cannot be read; the value is its bytes. No processor ever sees such a record. */
  readonly damage?: string;
}

/** A record to write. The pipe stamps the coordinates of `from` on it and sends it with an explicit partition. */
export interface OutRecord {
  readonly topic: string;
  /** Left out: that of the lane, else murmur2 of the key (as Kafka's own clients do), or the partition of `from` when there is no key. */
  readonly partition?: number;
  /** Partition modulo the number there is: what came from one partition stays in one, also while the topics of a flow grow in turn. */
  readonly lane?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Headers;
  /** Left out: the time of writing. */
  readonly timestamp?: number;
  /** The input record this output derives from. */
  readonly from: Source;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * The logic of an app for one partition: records in, records out. The same object runs in the Kafka pipe and in the
 * in-memory driver. State that depends on the records must change only in `committed`.
 */
export interface Processor {
  /** Called once with the last committed `replay` records before the first slice, so that state can be folded anew. */
  restore?(records: readonly InRecord[]): void | Promise<void>;
  /**
   * Offsets of the slice are committed in the same transaction as what is returned. A throw aborts: the slice comes
   * again, first whole, then in halves down to the single record; a record that fails three times alone becomes a dead
   * letter, with the code that was thrown where that is a SluiceError of class reject or drop. Class fatal ends the pipe.
   */
  process(slice: readonly InRecord[]): readonly OutRecord[] | Promise<readonly OutRecord[]>;
  /** The outputs of the last slice are durable. */
  committed?(): void | Promise<void>;
  /** The outputs of the last slice do not exist: forget what was pending. */
  aborted?(): void | Promise<void>;
  /** The partition moves away or the app ends. */
  close?(): void | Promise<void>;
}

/** Times before which records must not be processed. A partition rests until the first that waits in it is due, so its order holds. */
export interface Holding {
  readonly until: (record: InRecord) => EpochMs;
  readonly clock: Clock;
}

/** Records that nobody waits for: a slice of nothing else may gather for longer, and saves transactions. */
export interface Unhurried {
  readonly is: (record: InRecord) => boolean;
  readonly lingerMs: number;
}

export interface PipeSpec {
  /** Consumer group, and prefix of the transactional ids. */
  readonly group: string;
  readonly topics: readonly string[];
  readonly delivery: 'exactly-once' | 'at-least-once';
  /** Most records in one slice, hence in one transaction. */
  readonly maxSlice: number;
  /** How long a slice may wait for more records after its first; for longer where commits take long. */
  readonly lingerMs: number;
  /** Left out: somebody waits for every record. */
  readonly unhurried?: Unhurried;
  /** Number of records before the committed offset handed to `restore`; 0 or left out: none. */
  readonly replay?: number;
  /** How long records may wait without a commit before `done` rejects with SLUICE_STALLED. Left out: 60,000. */
  readonly stallAfterMs?: number;
  /** Left out: every record is due when it is there. */
  readonly holding?: Holding;
  /** Where a record goes whose processing keeps failing. */
  readonly deadLetters: string;
  /** Name of the stage in the dead letters of this pipe; left out: the group. */
  readonly stage?: string;
  readonly processor: (partition: TopicPartition) => Processor | Promise<Processor>;
}

/** A running pipe. */
export interface Pipe {
  /** Rejects with a fatal SluiceError when the pipe cannot go on; resolves after `close`. */
  readonly done: Promise<void>;
  readonly stats: PipeStats;
  /** Finishes the slices under way, commits them, leaves the group. */
  close(): Promise<void>;
}

export interface PipeStats {
  records: number;
  outputs: number;
  deadLetters: number;
  /** Offsets that retention took before they were read. */
  expired: number;
  transactions: number;
  aborts: number;
  /** Time of the last commit (performance.now), for the watchdog and readiness. */
  lastProgress: number;
  assigned: number;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly compacted?: boolean;
  /** Milliseconds; left out: the broker's default. */
  readonly retention?: number;
  readonly maxMessageBytes?: number;
  /** Compacted topics: how long superseded values stay readable. */
  readonly minCompactionLag?: number;
}

/** A compacted topic folded into memory: the latest value of each key. */
export interface Table<V> {
  get(key: string): V | undefined;
  entries(): IterableIterator<[string, V]>;
  /** Number of records folded so far. */
  readonly size: number;
  close(): Promise<void>;
}

export interface TableSpec<V> {
  readonly topic: string;
  /** @param timestamp of the record, milliseconds since 1970. */
  readonly decode: (value: Buffer, key: string, timestamp: number) => V;
  /** Called after each change, also while the table is being filled. */
  readonly onChange?: (key: string, value: V | undefined) => void;
}

/** A producer for records that derive from no input: requests, outcomes, health. */
export interface Publisher {
  publish(records: readonly Omit<OutRecord, 'from' | 'lane'>[]): Promise<void>;
  close(): Promise<void>;
}

export interface ReaderSpec {
  readonly topics: readonly string[];
  /** `beginning` reads everything committed; `end` only what comes after the reader is ready. */
  readonly from: 'beginning' | 'end';
  readonly onRecords: (records: readonly InRecord[]) => void | Promise<void>;
}

/** A read-committed tail of topics without group state: for views, reports and tests. */
export interface Reader {
  close(): Promise<void>;
}

/** Everything an app may ask of a log. Two drivers: Kafka, and memory (one process, no durability). */
export interface Bus {
  readonly kind: 'kafka' | 'memory';
  /**
   * Creates what is missing and waits until every partition has a leader.
   * @throws SluiceError SLUICE_TOPIC_MISMATCH when a topic exists with another partition count.
   */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;
  openPipe(spec: PipeSpec): Promise<Pipe>;
  /** Resolves after the table has been read to the end that it had when it was opened. */
  openTable<V>(spec: TableSpec<V>): Promise<Table<V>>;
  /** With an id each `publish` is one transaction, and whoever opens the same id later fences this publisher. */
  openPublisher(transactionalId?: string): Promise<Publisher>;
  openReader(spec: ReaderSpec): Promise<Reader>;
  /** Reads everything that is committed now, then stops: for restores, replays and reports. */
  readAll(topics: readonly string[]): Promise<InRecord[]>;
  /** Records of the topics that the group has not committed: 0 when it has dealt with all there is. */
  lag(group: string, topics: readonly string[]): Promise<number>;
  /** Closes pipes, tables, publishers and readers that are still open. */
  close(): Promise<void>;
}
