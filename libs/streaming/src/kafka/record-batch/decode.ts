import { decompress } from './codecs.ts';
import { crc32c } from './crc32c.ts';
import { attribute, field, lengthFrom, magic } from './layout.ts';

type Headers = Record<string, Buffer | null | (Buffer | null)[]>;

/** Headers inherit nothing, so that a producer may call one `constructor` or `__proto__`; by `new`, because V8 keeps `Object.create(null)` in a slow form. */
const NewHeaders = function () {} as unknown as new () => Headers;
NewHeaders.prototype = Object.create(null);

/** What the records of a batch share. Ids and offsets are decimal strings, as the client compares them. */
export interface BatchContext {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}

/** Why a batch cannot be read, and its bytes. Its last offset stands for it, so that a reader gets past it. */
export interface Damage {
  readonly reason: string;
  readonly firstOffset: number;
}

/** A record in the client's shape. What the client wants as text is made when asked for. */
export class FetchedMessage {
  readonly position: number;
  readonly time: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  readonly damage: Damage | undefined;

  constructor(fields: Omit<FetchedMessage, 'offset' | 'timestamp' | 'magicByte' | 'isControlRecord'>) {
    this.position = fields.position;
    this.time = fields.time;
    this.key = fields.key;
    this.value = fields.value;
    this.headers = fields.headers;
    this.isControlRecord = fields.batchContext.isControlBatch;
    this.batchContext = fields.batchContext;
    this.damage = fields.damage;
  }

  get offset(): string {
    return String(this.position);
  }

  get timestamp(): string {
    return String(this.time);
  }

  get magicByte(): number {
    return magic;
  }
}

/**
 * Reads the record batches of one partition in a fetch (magic 2 only), checksums included. A batch cut off at the end is left
 * out: the broker cuts at its byte limit. A batch that cannot be read comes as one message with `damage`.
 */
export async function decodeBatches(bytes: Buffer): Promise<FetchedMessage[]> {
  const messages: FetchedMessage[] = [];
  for (let at = 0; at + field.records <= bytes.length;) {
    const end = at + lengthFrom + bytes.readInt32BE(at + field.length);
    if (end > bytes.length) break;
    const batch = bytes.subarray(at, Math.max(end, at + field.records));
    try {
      checkSum(batch);
      await decodeBatch(batch, messages);
    } catch (thrown) {
      messages.push(damaged(batch, { reason: String((thrown as Error).message), next: nextBase(bytes, end) }));
    }
    at = Math.max(end, at + field.records);
  }
  return messages;
}

function checkSum(batch: Buffer): void {
  if (batch[field.magic] !== magic) throw new Error(`format version ${batch[field.magic]} among batches of version ${magic}`);
  const [stored, found] = [batch.readUInt32BE(field.crc), crc32c(batch.subarray(field.attributes))];
  if (stored !== found) throw new Error(`checksum ${hex(found)}, the batch says ${hex(stored)}`);
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');

async function decodeBatch(batch: Buffer, into: FetchedMessage[]): Promise<void> {
  const attributes = batch.readInt16BE(field.attributes);
  const context: BatchContext = {
    firstOffset: String(batch.readBigInt64BE(field.baseOffset)),
    lastOffsetDelta: batch.readInt32BE(field.lastOffsetDelta),
    producerId: String(batch.readBigInt64BE(field.producerId)),
    producerEpoch: batch.readInt16BE(field.producerEpoch),
    inTransaction: (attributes & attribute.transactional) !== 0,
    isControlBatch: (attributes & attribute.control) !== 0,
  };
  const codec = attributes & attribute.codec;
  const records = batch.subarray(field.records);
  const appendTime = (attributes & attribute.logAppendTime) !== 0 ? Number(batch.readBigInt64BE(field.maxTimestamp)) : undefined;
  const cursor = new Cursor(codec === 0 ? records : await decompress(codec, records), context, {
    base: Number(context.firstOffset),
    firstTimestamp: Number(batch.readBigInt64BE(field.firstTimestamp)),
    appendTime,
  });
  const length = into.length;
  try {
    for (let left = batch.readInt32BE(field.count); left > 0; left--) into.push(cursor.next());
  } catch (thrown) {
    into.length = length;
    throw thrown;
  }
}

interface Origin {
  readonly base: number;
  readonly firstTimestamp: number;
  /** The broker's time, where the topic is stamped by it. */
  readonly appendTime: number | undefined;
}

class Cursor {
  readonly #bytes: Buffer;
  readonly #context: BatchContext;
  readonly #origin: Origin;
  #at = 0;

  constructor(bytes: Buffer, context: BatchContext, origin: Origin) {
    this.#bytes = bytes;
    this.#context = context;
    this.#origin = origin;
  }

  next(): FetchedMessage {
    const size = this.#varint();
    const end = this.#at + size;
    if (size < 0 || end > this.#bytes.length) throw new Error('a record ends beyond its batch');
    this.#at++;
    const time = this.#origin.firstTimestamp + this.#varint();
    const position = this.#origin.base + this.#varint();
    const [key, value] = [this.#slice(end), this.#slice(end)];
    const headers = this.#headers(end);
    if (this.#at !== end) throw new Error('a record is not as long as it says');
    return new FetchedMessage({
      position,
      time: this.#origin.appendTime ?? time,
      key,
      value,
      headers,
      batchContext: this.#context,
      damage: undefined,
    });
  }

  #headers(end: number): Headers {
    const headers = new NewHeaders();
    for (let left = this.#varint(); left > 0; left--) {
      const name = this.#name(end);
      const value = this.#slice(end);
      const before = headers[name];
      if (before === undefined) headers[name] = value;
      else if (Array.isArray(before)) before.push(value);
      else headers[name] = [before, value];
    }
    return headers;
  }

  #slice(end: number): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const from = this.#at;
    this.#at += length;
    if (this.#at > end) throw new Error('a field ends beyond its record');
    return this.#bytes.subarray(from, this.#at);
  }

  #name(end: number): string {
    const length = this.#varint();
    const from = this.#at;
    this.#at += Math.max(0, length);
    if (this.#at > end) throw new Error('a header ends beyond its record');
    return nameAt(this.#bytes, from, this.#at);
  }

  /** Zigzag varint of up to 53 bits. */
  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      byte = bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (!(scale < 2 ** 63)) throw new Error('a number is too long');
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/** Header names seen, by length and two of their bytes: a topic has few, and making text of each is dear. */
const names = new Map<number, { readonly text: string; readonly bytes: Buffer }>();
const maxNames = 1_000;

function nameAt(bytes: Buffer, from: number, to: number): string {
  const slot = ((to - from) << 16) | (bytes[from]! << 8) | bytes[to - 1]!;
  const known = names.get(slot);
  if (known !== undefined && isSame(known.bytes, bytes, from)) return known.text;
  const text = bytes.toString('utf8', from, to);
  if (names.size >= maxNames) names.clear();
  names.set(slot, { text, bytes: Buffer.from(bytes.subarray(from, to)) });
  return text;
}

function isSame(name: Buffer, bytes: Buffer, from: number): boolean {
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}

const nextBase = (bytes: Buffer, at: number): number | undefined =>
  at + field.length <= bytes.length ? Number(bytes.readBigInt64BE(at + field.baseOffset)) : undefined;

/** One message for the whole batch. Nothing that the checksum covers is believed where the next batch tells the same. */
function damaged(batch: Buffer, { reason, next }: { reason: string; next: number | undefined }): FetchedMessage {
  const firstOffset = Number(batch.readBigInt64BE(field.baseOffset));
  const [delta, count] = [batch.readInt32BE(field.lastOffsetDelta), batch.readInt32BE(field.count)];
  const last = next !== undefined && next > firstOffset ? next - 1 : delta >= 0 && delta + 1 === count ? firstOffset + delta : firstOffset;
  const batchContext: BatchContext = {
    firstOffset: String(firstOffset),
    lastOffsetDelta: last - firstOffset,
    producerId: '-1',
    producerEpoch: -1,
    inTransaction: false,
    isControlBatch: false,
  };
  return new FetchedMessage({
    position: last,
    time: 0,
    key: null,
    value: batch,
    headers: {},
    batchContext,
    damage: { reason, firstOffset },
  });
}
