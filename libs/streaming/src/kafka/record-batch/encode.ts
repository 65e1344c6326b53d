import { crc32c } from './crc32c.ts';
import { attribute, field, lengthFrom, magic } from './layout.ts';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts';

type Bytes = Buffer | string | null | undefined;

/** A record as the client hands it over. Time stamps are milliseconds; header values that are undefined are left out. */
export interface Message {
  readonly key?: Bytes;
  readonly value?: Bytes;
  readonly timestamp?: string | number | undefined;
  readonly headers?: Readonly<Record<string, Bytes | readonly Bytes[]>> | undefined;
}

export interface Batch {
  readonly messages: readonly Message[];
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly transactional: boolean;
  /** Code of the codec that packs the records; 0 for none. */
  readonly codec: number;
}

/** What is known of a batch before it is written: one look at each record. */
export interface Plan {
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly timestamps: Float64Array;
  /** Size of each record without the varint that says it. */
  readonly sizes: Int32Array;
  /** Bytes of all records. */
  readonly length: number;
}

/** Sizes and times of the records, so that they can be written once into a buffer that fits. */
export function plan(messages: readonly Message[], now: number): Plan {
  const timestamps = new Float64Array(messages.length);
  let [first, max] = [Infinity, -Infinity];
  for (let i = 0; i < messages.length; i++) {
    const given = messages[i]!.timestamp;
    timestamps[i] = given === undefined ? now : Number(given);
    if (timestamps[i]! < first) first = timestamps[i]!;
    if (timestamps[i]! > max) max = timestamps[i]!;
  }
  const sizes = new Int32Array(messages.length);
  let length = 0;
  for (let i = 0; i < messages.length; i++) {
    const { key, value, headers } = messages[i]!;
    const size =
      1 + sizeOfVarlong(timestamps[i]! - first) + sizeOfVarint(i) + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfHeaders(headers);
    sizes[i] = size;
    length += sizeOfVarint(size) + size;
  }
  return { firstTimestamp: first, maxTimestamp: max, timestamps, sizes, length };
}

/** Writes the records at `at`. Returns where they end. */
export function writeRecords(bytes: Buffer, at: number, { messages, plan: planned }: { messages: readonly Message[]; plan: Plan }): number {
  for (let i = 0; i < messages.length; i++) {
    const { key, value, headers } = messages[i]!;
    at = writeVarint(bytes, at, planned.sizes[i]!);
    bytes[at++] = 0;
    at = writeVarlong(bytes, at, planned.timestamps[i]! - planned.firstTimestamp);
    at = writeVarint(bytes, at, i);
    at = writeBytes(bytes, at, key);
    at = writeBytes(bytes, at, value);
    at = writeHeaders(bytes, at, headers);
  }
  return at;
}

/** Writes what stands before the records and seals the batch that lies between `start` and `end`, its records in place. */
export function seal(bytes: Buffer, range: { readonly start: number; readonly end: number }, batch: Batch & { readonly plan: Plan }): void {
  const { start, end } = range;
  const { plan: planned, messages } = batch;
  bytes.fill(0, start, start + field.magic);
  bytes.writeInt32BE(end - start - lengthFrom, start + field.length);
  bytes[start + field.magic] = magic;
  bytes.writeInt16BE(batch.codec | (batch.transactional ? attribute.transactional : 0), start + field.attributes);
  bytes.writeInt32BE(messages.length - 1, start + field.lastOffsetDelta);
  bytes.writeBigInt64BE(BigInt(planned.firstTimestamp), start + field.firstTimestamp);
  bytes.writeBigInt64BE(BigInt(planned.maxTimestamp), start + field.maxTimestamp);
  bytes.writeBigInt64BE(batch.producerId, start + field.producerId);
  bytes.writeInt16BE(batch.producerEpoch, start + field.producerEpoch);
  bytes.writeInt32BE(batch.firstSequence, start + field.firstSequence);
  bytes.writeInt32BE(messages.length, start + field.count);
  bytes.writeUInt32BE(crc32c(bytes.subarray(start + field.attributes, end)), start + field.crc);
}

const lengthOf = (value: Exclude<Bytes, null | undefined>): number =>
  typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : value.length;

function sizeOfBytes(value: Bytes): number {
  if (value === null || value === undefined) return 1;
  const length = lengthOf(value);
  return sizeOfVarint(length) + length;
}

function sizeOfHeaders(headers: Message['headers']): number {
  let [size, count] = [0, 0];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    const named = nameBytes(name).length;
    if (Array.isArray(value)) {
      count += value.length;
      for (const one of value as readonly Bytes[]) size += named + sizeOfBytes(one);
    } else {
      count++;
      size += named + sizeOfBytes(value as Bytes);
    }
  }
  return sizeOfVarint(count) + size;
}

function writeHeaders(bytes: Buffer, at: number, headers: Message['headers']): number {
  let count = 0;
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) count += Array.isArray(value) ? value.length : 1;
  }
  at = writeVarint(bytes, at, count);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value as readonly Bytes[]) at = writeBytes(bytes, copy(nameBytes(name), bytes, at), one);
    else at = writeBytes(bytes, copy(nameBytes(name), bytes, at), value as Bytes);
  }
  return at;
}

function writeBytes(bytes: Buffer, at: number, value: Bytes): number {
  if (value === null || value === undefined) return writeVarint(bytes, at, -1);
  if (typeof value === 'string') return writeText(bytes, at, value);
  return copy(value, bytes, writeVarint(bytes, at, value.length));
}

/** Up to this many bytes a loop is faster than a call into native code. */
const shortest = 32;

function copy(from: Uint8Array, to: Buffer, at: number): number {
  if (from.length > shortest) to.set(from, at);
  else for (let i = 0; i < from.length; i++) to[at + i] = from[i]!;
  return at + from.length;
}

function writeText(bytes: Buffer, at: number, text: string): number {
  const length = Buffer.byteLength(text, 'utf8');
  const from = writeVarint(bytes, at, length);
  if (length > 2 * shortest || length !== text.length) bytes.write(text, from, length, 'utf8');
  else for (let i = 0; i < length; i++) bytes[from + i] = text.charCodeAt(i);
  return from + length;
}

/** Header names with their lengths in front, as they stand in a record: a program uses few. */
const names = new Map<string, Buffer>();
const maxNames = 1_000;

function nameBytes(name: string): Buffer {
  const known = names.get(name);
  if (known !== undefined) return known;
  const text = Buffer.from(name, 'utf8');
  const prefixed = Buffer.alloc(sizeOfVarint(text.length) + text.length);
  text.copy(prefixed, writeVarint(prefixed, 0, text.length));
  if (names.size >= maxNames) names.clear();
  names.set(name, prefixed);
  return prefixed;
}
