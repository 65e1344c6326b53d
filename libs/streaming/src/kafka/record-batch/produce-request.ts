import { compress } from './codecs.ts';
import { plan, seal, writeRecords, type Batch, type Message } from './encode.ts';
import { field } from './layout.ts';

/** A Produce request (versions 3 to 8) as the client hands it to its encoder. */
export interface ProduceRequest {
  readonly transactionalId?: string | null | undefined;
  readonly acks: number;
  readonly timeout: number;
  readonly compression?: number | undefined;
  readonly producerId?: { toString(): string } | undefined;
  readonly producerEpoch?: number | undefined;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number | undefined;
      readonly messages: readonly Message[];
    }[];
  }[];
}

/** The encoded request, in the shape of the client's own encoder. */
export interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  size(): number;
}

type Part = ReturnType<typeof partOf>;

const int16 = 2;
const int32 = 4;
const codecOf = (request: ProduceRequest): number => request.compression ?? 0;

/**
 * Writes the whole request into one buffer of the right size: the client's own encoder makes a buffer per record and
 * header, and copies each record four times.
 */
export async function encodeProduce(request: ProduceRequest, now: number): Promise<Encoded> {
  const codec = codecOf(request);
  const topics = request.topicData.map(({ topic, partitions }) => ({ topic, parts: partitions.map((one) => partOf(request, one, now)) }));
  if (codec !== 0) {
    for (const { parts } of topics) for (const part of parts) part.packed = await compress(codec, recordsOf(part));
  }
  const id = request.transactionalId;
  let size = int16 + (id ? Buffer.byteLength(id) : 0) + int16 + int32 + int32;
  for (const { topic, parts } of topics) {
    size += int16 + Buffer.byteLength(topic) + int32;
    for (const part of parts) size += int32 + int32 + field.records + lengthOf(part);
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = writeString(bytes, 0, id ?? null);
  at = bytes.writeInt16BE(request.acks, at);
  at = bytes.writeInt32BE(request.timeout, at);
  at = bytes.writeInt32BE(topics.length, at);
  for (const { topic, parts } of topics) {
    at = writeString(bytes, at, topic);
    at = bytes.writeInt32BE(parts.length, at);
    for (const part of parts) at = writePart(bytes, at, part);
  }
  return { buf: bytes, buffer: bytes, size: () => bytes.length };
}

function partOf(request: ProduceRequest, one: ProduceRequest['topicData'][number]['partitions'][number], now: number) {
  const batch: Batch = {
    messages: one.messages,
    producerId: BigInt((request.producerId ?? -1).toString()),
    producerEpoch: request.producerEpoch ?? 0,
    firstSequence: one.firstSequence ?? 0,
    transactional: Boolean(request.transactionalId),
    codec: codecOf(request),
  };
  return { ...batch, partition: one.partition, plan: plan(one.messages, now), packed: undefined as Buffer | undefined };
}

const lengthOf = (part: Part): number => part.packed?.length ?? part.plan.length;

function recordsOf(part: Part): Buffer {
  const bytes = Buffer.allocUnsafe(part.plan.length);
  writeRecords(bytes, 0, part);
  return bytes;
}

function writePart(bytes: Buffer, at: number, part: Part): number {
  const start = at + int32 + int32;
  const end = start + field.records + lengthOf(part);
  bytes.writeInt32BE(part.partition, at);
  bytes.writeInt32BE(end - start, at + int32);
  if (part.packed === undefined) writeRecords(bytes, start + field.records, part);
  else bytes.set(part.packed, start + field.records);
  seal(bytes, { start, end }, part);
  return end;
}

function writeString(bytes: Buffer, at: number, text: string | null): number {
  if (text === null) return bytes.writeInt16BE(-1, at);
  const length = bytes.write(text, at + int16, 'utf8');
  bytes.writeInt16BE(length, at);
  return at + int16 + length;
}
