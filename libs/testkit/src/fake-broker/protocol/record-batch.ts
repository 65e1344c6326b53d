import { crc32c } from './crc32c.ts';

/** What stands before the records of a batch (DefaultRecordBatch, magic 2). `base` and `last` are offsets in the log. */
export interface BatchHead {
  readonly base: number;
  readonly last: number;
  readonly producerId: number;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly count: number;
  readonly maxTimestamp: number;
}

export interface BatchRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a batch to write consists of. */
export interface BatchContent {
  readonly producerId?: number;
  readonly epoch?: number;
  readonly firstSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  readonly timestamp: number;
  readonly records: readonly { readonly key: Buffer | null; readonly value: Buffer | null }[];
}

const at = { length: 8, magic: 16, crc: 17, attributes: 21, lastDelta: 23, firstTime: 27, maxTime: 35, producer: 43, epoch: 51, sequence: 53, count: 57, records: 61 } as const; // prettier-ignore

export function headOf(batch: Buffer): BatchHead {
  const base = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(at.attributes);
  return {
    base,
    last: base + batch.readInt32BE(at.lastDelta),
    producerId: Number(batch.readBigInt64BE(at.producer)),
    epoch: batch.readInt16BE(at.epoch),
    firstSequence: batch.readInt32BE(at.sequence),
    isTransactional: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
    count: batch.readInt32BE(at.count),
    maxTimestamp: Number(batch.readBigInt64BE(at.maxTime)),
  };
}

/** Whether length, version, checksum and count of a batch fit its bytes. */
export function isSound(batch: Buffer): boolean {
  if (batch.length < at.records || batch.readInt32BE(at.length) !== batch.length - 12 || batch[at.magic] !== 2) return false;
  if (batch.readUInt32BE(at.crc) !== crc32c(batch.subarray(at.attributes))) return false;
  return batch.readInt32BE(at.lastDelta) + 1 === batch.readInt32BE(at.count);
}

/** A copy of the batch that stands at `base`; the checksum does not cover the offset. */
export function placedAt(batch: Buffer, base: number): Buffer {
  const placed = Buffer.from(batch);
  placed.writeBigInt64BE(BigInt(base), 0);
  return placed;
}

export function recordsOf(batch: Buffer): BatchRecord[] {
  const { base, count } = headOf(batch);
  const cursor = new Cursor(batch, at.records);
  return Array.from({ length: count }, () => cursor.record(base));
}

class Cursor {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  record(base: number): BatchRecord {
    this.varint();
    this.#at++;
    this.varint();
    const offset = base + this.varint();
    const [key, value] = [this.bytes(), this.bytes()];
    const headers: Record<string, string> = {};
    for (let left = this.varint(); left > 0; left--) headers[String(this.bytes())] = String(this.bytes() ?? '');
    return { offset, key, value, headers };
  }

  /** Zigzag; 64 bits wide for time stamps. */
  varint(): number {
    let [value, scale, byte] = [0, 1, 0];
    do {
      byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte & 0x80);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

export function batchOf(content: BatchContent): Buffer {
  const { producerId = -1, epoch = -1, firstSequence = -1, timestamp, records } = content;
  const body = Buffer.concat(records.map(recordBytes));
  const batch = Buffer.alloc(at.records + body.length);
  batch.writeInt32BE(batch.length - 12, at.length);
  batch.writeInt8(2, at.magic);
  batch.writeInt16BE((content.isTransactional ? 0x10 : 0) | (content.isControl ? 0x20 : 0), at.attributes);
  batch.writeInt32BE(records.length - 1, at.lastDelta);
  batch.writeBigInt64BE(BigInt(timestamp), at.firstTime);
  batch.writeBigInt64BE(BigInt(timestamp), at.maxTime);
  batch.writeBigInt64BE(BigInt(producerId), at.producer);
  batch.writeInt16BE(epoch, at.epoch);
  batch.writeInt32BE(firstSequence, at.sequence);
  batch.writeInt32BE(records.length, at.count);
  body.copy(batch, at.records);
  batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc);
  return batch;
}

/** The record that ends a transaction in a partition (EndTransactionMarker). */
export const markerOf = (marker: { producerId: number; epoch: number; commit: boolean; timestamp: number }): Buffer =>
  batchOf({
    ...{ producerId: marker.producerId, epoch: marker.epoch, timestamp: marker.timestamp, isTransactional: true, isControl: true },
    records: [{ key: Buffer.from([0, 0, 0, marker.commit ? 1 : 0]), value: Buffer.alloc(6) }],
  });

function recordBytes({ key, value }: { key: Buffer | null; value: Buffer | null }, delta: number): Buffer {
  const body = Buffer.concat([Buffer.from([0]), varint(0), varint(delta), sized(key), sized(value), varint(0)]);
  return Buffer.concat([varint(body.length), body]);
}

const sized = (bytes: Buffer | null): Buffer => (bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]));

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
