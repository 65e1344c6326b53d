import { SluiceError } from '@sluice/domain';
import type { Headers, InRecord, TopicPartition, TopicSpec } from '../port.ts';

/** A record about to be appended: its place is decided. */
export interface Placed extends TopicPartition {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  readonly timestamp: number;
}

/** Topics and committed offsets of the in-memory driver: append-only arrays, gone with the process. */
export class MemoryLog {
  readonly #topics = new Map<string, InRecord[][]>();
  readonly #committed = new Map<string, number>();
  readonly #listeners = new Set<(records: readonly InRecord[]) => void>();

  ensure({ name, partitions }: TopicSpec): void {
    const existing = this.#topics.get(name);
    if (existing === undefined)
      this.#topics.set(
        name,
        Array.from({ length: partitions }, () => []),
      );
    else if (existing.length !== partitions) {
      throw new SluiceError('SLUICE_TOPIC_MISMATCH', `topic ${name} has ${existing.length} partitions, not ${partitions}`);
    }
  }

  partitions(topic: string): InRecord[][] {
    const found = this.#topics.get(topic);
    if (found === undefined) throw new SluiceError('SLUICE_TOPIC_MISSING', `topic ${topic} does not exist`);
    return found;
  }

  partition({ topic, partition }: TopicPartition): InRecord[] {
    const found = this.partitions(topic)[partition];
    if (found === undefined) throw new SluiceError('SLUICE_TOPIC_MISSING', `topic ${topic} has no partition ${partition}`);
    return found;
  }

  /** Appends all or, when a place does not exist, none. Bytes are copied, as a real log would. */
  append(records: readonly Placed[]): void {
    for (const record of records) this.partition(record);
    const appended = records.map((record) => {
      const log = this.partition(record);
      const stored: InRecord = {
        topic: record.topic,
        partition: record.partition,
        offset: log.length,
        timestamp: record.timestamp,
        key: record.key && Buffer.from(record.key),
        value: record.value && Buffer.from(record.value),
        headers: wireHeaders(record.headers),
      };
      log.push(stored);
      return stored;
    });
    if (appended.length > 0) for (const listener of this.#listeners) listener(appended);
  }

  /** @returns a function that ends the listening. */
  listen(listener: (records: readonly InRecord[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  committed(group: string, { topic, partition }: TopicPartition): number {
    return this.#committed.get(`${group} ${topic}/${partition}`) ?? 0;
  }

  commit(group: string, { topic, partition }: TopicPartition, offset: number): void {
    this.#committed.set(`${group} ${topic}/${partition}`, offset);
  }
}

function wireHeaders(headers: Headers): Headers {
  const wire: Record<string, Buffer | Buffer[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    wire[name] = Array.isArray(value) ? value.map((one: Buffer | string) => Buffer.from(one as Buffer)) : Buffer.from(value as Buffer);
  }
  return wire;
}
