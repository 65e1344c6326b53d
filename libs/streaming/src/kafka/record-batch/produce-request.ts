import { compress } from './codecs.ts';
import { plan, seal, writeRecords, type Batch, type Message } from './encode.ts';
import { classic, writeTags, type Form } from './form.ts';
import { field } from './layout.ts';

/** A Produce request as the client hands it to its encoder. */
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
 * header, and copies each record four times. Versions 3 to 8 are classic, 9 to 12 flexible: their header ends with tagged
 * fields, which begin the buffer.
 */
export async function encodeProduce(request: ProduceRequest, now: number, form: Form = classic): Promise<Encoded> {
  const codec = codecOf(request);
  const topics = request.topicData.map(({ topic, partitions }) => ({ topic, parts: partitions.map((one) => partOf(request, one, now)) }));
  if (codec !== 0) {
    for (const { parts } of topics) for (const part of parts) part.packed = await compress(codec, recordsOf(part));
  }
  const id = request.transactionalId || null;
  const bytes = Buffer.allocUnsafe(form.tags + form.sizeOfString(id) + int16 + int32 + sizeOfTopics(topics, form) + form.tags);
  let at = form.writeString(bytes, writeTags(bytes, 0, form), id);
  at = bytes.writeInt16BE(request.acks, at);
  at = bytes.writeInt32BE(request.timeout, at);
  at = form.writeLength(bytes, at, topics.length);
  for (const { topic, parts } of topics) {
    at = form.writeString(bytes, at, topic);
    at = form.writeLength(bytes, at, parts.length);
    for (const part of parts) at = writePart(bytes, at, { part, form });
    at = writeTags(bytes, at, form);
  }
  writeTags(bytes, at, form);
  return { buf: bytes, buffer: bytes, size: () => bytes.length };
}

function sizeOfTopics(topics: readonly { readonly topic: string; readonly parts: readonly Part[] }[], form: Form): number {
  let size = form.sizeOfLength(topics.length);
  for (const { topic, parts } of topics) {
    size += form.sizeOfString(topic) + form.sizeOfLength(parts.length) + form.tags;
    for (const part of parts) size += int32 + form.sizeOfLength(sizeOf(part)) + sizeOf(part) + form.tags;
  }
  return size;
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

/** Bytes of the batch with what stands before its records. */
const sizeOf = (part: Part): number => field.records + (part.packed?.length ?? part.plan.length);

function recordsOf(part: Part): Buffer {
  const bytes = Buffer.allocUnsafe(part.plan.length);
  writeRecords(bytes, 0, part);
  return bytes;
}

function writePart(bytes: Buffer, at: number, { part, form }: { readonly part: Part; readonly form: Form }): number {
  const start = form.writeLength(bytes, bytes.writeInt32BE(part.partition, at), sizeOf(part));
  const end = start + sizeOf(part);
  if (part.packed === undefined) writeRecords(bytes, start + field.records, part);
  else bytes.set(part.packed, start + field.records);
  seal(bytes, { start, end }, part);
  return writeTags(bytes, end, form);
}
