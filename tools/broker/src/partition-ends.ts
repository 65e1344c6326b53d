import { ask, openAny } from './kafka-api.ts';
import { openWire, RequestBody } from './wire.ts';
import type { ResponseBody, Wire } from './wire.ts';

/** What ListOffsets takes for a time. */
const earliest = -2n;
const latest = -1n;

/** How far a reader of committed records will get in one partition. */
export interface PartitionEnd {
  readonly partition: number;
  /** The last stable offset: nothing at or above it may be read yet. */
  readonly end: number;
  /** Offset of the last record below `end` that a read_committed reader sees; -1 when it sees none. */
  readonly lastVisible: number;
}

/**
 * Where each partition of a topic ends now. The offset before the end is mostly not a record (a transaction's marker, or
 * records that were aborted), so the last visible record is looked for batch by batch from the end.
 */
export async function partitionEnds(brokers: string, topic: string): Promise<PartitionEnd[]> {
  const ends: PartitionEnd[] = [];
  for (const [address, partitions] of await partitionsByLeader(brokers, topic)) {
    const wire = await openWire(address);
    try {
      const [starts, stable] = [
        await listOffsets(wire, { topic, partitions, time: earliest }),
        await listOffsets(wire, { topic, partitions, time: latest }),
      ];
      for (const partition of partitions) {
        const [start, end] = [starts.get(partition) ?? 0, stable.get(partition) ?? 0];
        ends.push({ partition, end, lastVisible: await lastVisible(wire, { topic, partition, start, end }) });
      }
    } finally {
      wire.close();
    }
  }
  return ends.sort((a, b) => a.partition - b.partition);
}

interface Span {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
}

async function lastVisible(wire: Wire, span: Span): Promise<number> {
  for (let at = span.end - 1; at >= span.start;) {
    const batch = await batchAt(wire, span, at);
    // Compaction may have left a gap at the end: what the broker sends then is the batch after it.
    if (batch === undefined || batch.base > at) at--;
    else if (batch.visible) return Math.min(batch.last, at);
    else at = batch.base - 1;
  }
  return -1;
}

interface Batch {
  readonly base: number;
  readonly last: number;
  readonly visible: boolean;
}

/** The record batch that holds `offset`, and whether its records were committed. */
async function batchAt(wire: Wire, span: Span, offset: number): Promise<Batch | undefined> {
  const readCommitted = 1;
  const body = new RequestBody().int32(-1).int32(0).int32(0).int32(1).int8(readCommitted);
  body.array([span], ({ topic, partition }) =>
    body.string(topic).array([partition], (number) => body.int32(number).int64(BigInt(offset)).int32(1)),
  );
  const response = await ask(wire, 'fetch', body);
  response.int32();
  const found = response.array(() => {
    response.string();
    return response.array(() => readPartition(response));
  });
  return found[0]?.[0];
}

function readPartition(response: ResponseBody): Batch | undefined {
  response.int32();
  const error = response.int16();
  if (error !== 0) throw new Error(`the end of the partition cannot be read: error code ${error}`);
  response.int64();
  response.int64();
  const aborted = response.array(() => ({ producer: response.int64(), first: Number(response.int64()) }));
  const size = response.int32();
  if (size <= 0) return undefined;
  const header = readBatchHeader(response);
  const isAborted = header.transactional && aborted.some(({ producer, first }) => producer === header.producer && first <= header.base);
  return { base: header.base, last: header.last, visible: !header.control && !isAborted };
}

/** The fixed head of a record batch of magic 2 (KIP-98). */
function readBatchHeader(response: ResponseBody) {
  const base = Number(response.int64());
  response.int32();
  response.int32();
  response.int8();
  response.int32();
  const attributes = response.int16();
  const last = base + response.int32();
  response.int64();
  response.int64();
  return { base, last, producer: response.int64(), transactional: (attributes & 16) !== 0, control: (attributes & 32) !== 0 };
}

async function partitionsByLeader(brokers: string, topic: string): Promise<Map<string, number[]>> {
  const wire = await openAny(brokers);
  try {
    const body = new RequestBody();
    const response = await ask(wire, 'metadata', body.array([topic], (name) => body.string(name)).int8(0));
    response.int32();
    const nodes = new Map(response.array(() => [response.int32(), readAddress(response)] as const));
    response.string();
    response.int32();
    const leaders = new Map<string, number[]>();
    response.array(() =>
      readTopic(response, topic, (partition, leader) => {
        const address = nodes.get(leader) ?? 'nobody:0';
        leaders.set(address, [...(leaders.get(address) ?? []), partition]);
      }),
    );
    return leaders;
  } finally {
    wire.close();
  }
}

function readTopic(response: ResponseBody, topic: string, onPartition: (partition: number, leader: number) => void): void {
  const error = response.int16();
  if (error !== 0) throw new Error(`topic ${topic} cannot be read: error code ${error}`);
  response.string();
  response.int8();
  response.array(() => {
    response.int16();
    onPartition(response.int32(), response.int32());
    response.array(() => response.int32());
    response.array(() => response.int32());
  });
}

function readAddress(response: ResponseBody): string {
  const address = `${response.string() ?? ''}:${response.int32()}`;
  response.string();
  return address;
}

interface OffsetQuery {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly time: typeof earliest | typeof latest;
}

/** Offsets by partition. Asked as a reader of committed records, the latest one is the last stable offset. */
async function listOffsets(wire: Wire, { topic, partitions, time }: OffsetQuery): Promise<Map<number, number>> {
  const readCommitted = 1;
  const body = new RequestBody().int32(-1).int8(readCommitted);
  body.array([topic], (name) => body.string(name).array(partitions, (partition) => body.int32(partition).int64(time)));
  const response = await ask(wire, 'listOffsets', body);
  response.int32();
  const offsets = new Map<number, number>();
  response.array(() => {
    response.string();
    response.array(() => {
      const partition = response.int32();
      const error = response.int16();
      if (error !== 0) throw new Error(`the end of ${topic}/${partition} is unknown: error code ${error}`);
      response.int64();
      offsets.set(partition, Number(response.int64()));
    });
  });
  return offsets;
}
