import type { InRecord, Reader, ReaderSpec, Table, TableSpec } from '../port.ts';
import type { MemoryLog } from './log.ts';

/** A compacted topic as a Map, folded while records are appended. */
export function memoryTable<V>(log: MemoryLog, spec: TableSpec<V>): Table<V> {
  const rows = new Map<string, V>();
  let size = 0;
  const fold = (record: InRecord) => {
    if (record.topic !== spec.topic || record.key === null) return;
    size++;
    const key = record.key.toString();
    const value = record.value === null ? undefined : spec.decode(record.value, key, record.timestamp);
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
    spec.onChange?.(key, value);
  };
  for (const partition of log.partitions(spec.topic)) partition.forEach(fold);
  const end = log.listen((records) => records.forEach(fold));
  return {
    get: (key) => rows.get(key),
    entries: () => rows.entries(),
    get size() {
      return size;
    },
    close: async () => end(),
  };
}

/** A tail whose handler runs one call at a time; `idle` resolves when it has seen everything appended so far. */
export class MemoryReader implements Reader {
  readonly #end: () => void;
  readonly #spec: ReaderSpec;
  #last: Promise<void> = Promise.resolve();
  #busy = 0;

  constructor(log: MemoryLog, spec: ReaderSpec) {
    this.#spec = spec;
    for (const topic of spec.topics) {
      const partitions = log.partitions(topic);
      if (spec.from === 'beginning') for (const partition of partitions) this.#hand(partition.slice());
    }
    this.#end = log.listen((records) => this.#hand(records.filter((record) => spec.topics.includes(record.topic))));
  }

  get busy(): boolean {
    return this.#busy > 0;
  }

  idle(): Promise<void> {
    return this.#last;
  }

  async close(): Promise<void> {
    this.#end();
    await this.#last;
  }

  #hand(records: readonly InRecord[]): void {
    if (records.length === 0) return;
    this.#busy++;
    this.#last = this.#last.then(() => this.#spec.onRecords(records)).finally(() => this.#busy--);
    // The rejection is reported by `idle` and `close`; it must not end the process in between.
    this.#last.catch(() => undefined);
  }
}
