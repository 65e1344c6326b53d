import type { Work } from '../carrier.ts';
import { partitionFor } from '../murmur2.ts';
import type { Bus, InRecord, OutRecord, PipeSpec, Publisher, ReaderSpec, Table, TableSpec, TopicPartition, TopicSpec } from '../port.ts';
import { MemoryLog } from './log.ts';
import { MemoryPipe } from './pipe.ts';
import { MemoryReader, memoryTable } from './views.ts';

/** The in-memory driver: one process, no durability, the same processors. */
export interface MemoryBus extends Bus {
  readonly kind: 'memory';
  /** Runs the pipes until none has a record left and every reader has seen everything. @throws what a reader's handler threw. */
  settle(): Promise<void>;
}

export interface MemoryBusOptions {
  /** Publishing sets the pipes going by itself; otherwise nothing moves before `settle`, one slice after the other. */
  readonly live?: boolean;
  /** Time stamps of records that come without one; default `Date.now`. */
  readonly now?: () => number;
  /** Asked before each commit; true aborts it and the slice comes again. For tests. */
  readonly abort?: (work: Work) => boolean;
}

export function memoryBus(options: MemoryBusOptions = {}): MemoryBus {
  return new InMemory(options);
}

class InMemory implements MemoryBus {
  readonly kind = 'memory';
  readonly #log = new MemoryLog();
  readonly #live: boolean;
  readonly #now: () => number;
  readonly #abort: (work: Work) => boolean;
  readonly #pipes = new Set<MemoryPipe>();
  readonly #readers = new Set<MemoryReader>();
  readonly #tables = new Set<Table<unknown>>();
  #roundRobin = 0;
  #woken = false;

  constructor({ live = false, now = Date.now, abort = () => false }: MemoryBusOptions) {
    this.#live = live;
    this.#now = now;
    this.#abort = abort;
    if (live) this.#log.listen(() => this.#wake());
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) this.#log.ensure(spec);
  }

  async openPipe(spec: PipeSpec): Promise<MemoryPipe> {
    const all = spec.topics.flatMap((topic) => this.#log.partitions(topic).map((_, partition): TopicPartition => ({ topic, partition })));
    // No rebalancing here: the first pipe of a group owns its topics until it closes.
    const taken = [...this.#pipes].some((pipe) => !pipe.ended && pipe.spec.group === spec.group && overlap(pipe.spec.topics, spec.topics));
    const pipe = await MemoryPipe.open({ log: this.#log, spec, now: this.#now, abort: this.#abort }, taken ? [] : all);
    this.#pipes.add(pipe);
    if (this.#live) this.#wake();
    return pipe;
  }

  async openTable<V>(spec: TableSpec<V>): Promise<Table<V>> {
    const table = memoryTable(this.#log, spec);
    this.#tables.add(table);
    return table;
  }

  async openPublisher(): Promise<Publisher> {
    return { publish: async (records) => this.#publish(records), close: async () => undefined };
  }

  async openReader(spec: ReaderSpec): Promise<MemoryReader> {
    const reader = new MemoryReader(this.#log, spec);
    this.#readers.add(reader);
    return reader;
  }

  async readAll(topics: readonly string[]): Promise<InRecord[]> {
    return topics.flatMap((topic) => this.#log.partitions(topic).flat());
  }

  async lag(group: string, topics: readonly string[]): Promise<number> {
    const all = topics.flatMap((topic) => this.#log.partitions(topic).map((records, partition) => ({ topic, partition, records })));
    return all.reduce((sum, { records, ...place }) => sum + records.length - this.#log.committed(group, place), 0);
  }

  async settle(): Promise<void> {
    for (;;) {
      const waiting = [...this.#pipes].filter((pipe) => pipe.lag > 0);
      const busy = [...this.#readers].filter((reader) => reader.busy);
      if (waiting.length + busy.length === 0) return;
      for (const pipe of waiting) await pipe.turn(this.#live);
      for (const reader of busy) await reader.idle();
    }
  }

  async close(): Promise<void> {
    for (const pipe of this.#pipes) if (!pipe.ended) await pipe.close();
    for (const reader of this.#readers) await reader.close();
    for (const table of this.#tables) await table.close();
  }

  #publish(records: readonly Omit<OutRecord, 'from' | 'lane'>[]): void {
    this.#log.append(
      records.map((record) => ({
        topic: record.topic,
        partition: record.partition ?? this.#place(record),
        key: record.key,
        value: record.value,
        headers: record.headers ?? {},
        timestamp: record.timestamp ?? this.#now(),
      })),
    );
  }

  #place({ topic, key }: Omit<OutRecord, 'from' | 'lane'>): number {
    const { length } = this.#log.partitions(topic);
    return key === null ? this.#roundRobin++ % length : partitionFor(key, length);
  }

  /** One wake-up for all records of a turn of the event loop, so that slices fill. */
  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      for (const pipe of this.#pipes) if (pipe.lag > 0 || pipe.spec.holding !== undefined) void pipe.turn(true);
    });
  }
}

const overlap = (a: readonly string[], b: readonly string[]): boolean => a.some((topic) => b.includes(topic));
