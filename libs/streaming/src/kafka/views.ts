import { SluiceError } from '@sluice/domain';
import { ownBytes } from '../records.ts';
import type { InRecord, Reader, ReaderSpec, Table, TableSpec } from '../port.ts';
import type { ClusterAdmin } from './admin.ts';
import type { Clients } from './client.ts';
import { Tail, type TailPartition } from './tail.ts';
import { pause } from './time.ts';

export interface ViewContext {
  readonly clients: Clients;
  readonly admin: ClusterAdmin;
}

/** How long a table may take to read what exists before the cluster counts as gone. */
const fillWithinMs = 120_000;

/** Longer than a transaction stays open that nobody ends: its timeout and the broker's sweep. */
const calmAfterMs = 35_000;

interface Bounded extends TailPartition {
  /**
   * Where the partition ended at the time of the call, records of open transactions included: a commit is acknowledged
   * before its marker is written, so the end that is stable now may lie before records whose writer knows them to be there.
   */
  readonly high: number;
}

async function partitionsOf(admin: ClusterAdmin, topics: readonly string[]): Promise<Bounded[]> {
  const counts = await Promise.all(topics.map(async (topic) => ({ topic, count: await admin.partitions(topic) })));
  const places = counts.flatMap(({ topic, count }) => Array.from({ length: count }, (_, partition) => ({ topic, partition })));
  return Promise.all(
    places.map(async (place) => {
      const { low, high } = await admin.bounds(place);
      return { ...place, position: low, high };
    }),
  );
}

/** Everything committed in the topics now, each partition in order. A transaction that is open now is waited for. */
export async function readAll({ admin, clients }: ViewContext, topics: readonly string[]): Promise<InRecord[]> {
  const all: InRecord[] = [];
  const partitions = (await partitionsOf(admin, topics)).map((partition) => ({ ...partition, end: partition.high }));
  const calm = new Calm();
  const tail = new Tail({ clients, admin, partitions, onRecords: keepIn(all, calm) });
  await Promise.race([tail.done, calm.reached]);
  await tail.close();
  return all;
}

/** Resolves when nothing has been read for longer than a transaction can stay open. */
class Calm {
  readonly reached: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #resolve!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => (this.#resolve = resolve));
    this.disturb();
  }

  disturb(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#resolve, calmAfterMs).unref();
  }
}

const keepIn = (kept: InRecord[], calm?: Calm) => (records: readonly InRecord[]) => {
  calm?.disturb();
  for (const record of records) kept.push(ownBytes(record));
};

/** The committed records of one partition in [from, to). */
export async function readRange(context: ViewContext, range: Omit<TailPartition, 'end'> & { readonly end: number }): Promise<InRecord[]> {
  const found: InRecord[] = [];
  const tail = new Tail({ ...context, partitions: [{ ...range }], onRecords: keepIn(found) });
  await tail.done;
  return found;
}

/** A tail of topics; errors of the handler are logged and end it. */
export async function openReader({ admin, clients }: ViewContext, spec: ReaderSpec): Promise<Reader> {
  const partitions = await partitionsOf(admin, spec.topics);
  if (spec.from === 'end') for (const partition of partitions) partition.position = partition.high;
  const tail = new Tail({ clients, admin, partitions, onRecords: spec.onRecords });
  tail.done.catch((thrown: unknown) => clients.logger.warn({ event: 'reader-failed', error: String(thrown) }, 'a reader ended'));
  return { close: () => tail.close() };
}

/** A compacted topic folded into a Map, open once everything that existed at the call has been read. */
export async function openTable<V>({ admin, clients }: ViewContext, spec: TableSpec<V>): Promise<Table<V>> {
  const rows = new Map<string, V>();
  let size = 0;
  const fold = (record: InRecord) => {
    if (record.key === null) return;
    size++;
    const key = record.key.toString();
    const value = record.value === null ? undefined : spec.decode(Buffer.from(record.value), key, record.timestamp);
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
    spec.onChange?.(key, value);
  };
  const partitions = await partitionsOf(admin, [spec.topic]);
  let filled = () => undefined as void;
  const full = new Promise<void>((resolve) => (filled = resolve));
  const onPosition = () => {
    if (partitions.every(({ position, high }) => position >= high)) filled();
  };
  onPosition();
  const tail = new Tail({ clients, admin, partitions, onRecords: (records) => records.forEach(fold), onPosition });
  await withinPatience(Promise.race([full, tail.done]), spec.topic).catch(async (thrown: unknown) => {
    await tail.close();
    throw thrown;
  });
  return { get: (key) => rows.get(key), entries: () => rows.entries(), get size() { return size; }, close: () => tail.close() }; // prettier-ignore
}

async function withinPatience(filling: Promise<void>, topic: string): Promise<void> {
  const patience = new AbortController();
  const late = pause(fillWithinMs, patience.signal).then(() => {
    throw new SluiceError('SLUICE_BROKER_UNREACHABLE', `table ${topic} could not be read to its end within ${fillWithinMs / 1_000} s`);
  });
  late.catch(() => undefined);
  try {
    await Promise.race([filling, late]);
  } finally {
    patience.abort();
  }
}
