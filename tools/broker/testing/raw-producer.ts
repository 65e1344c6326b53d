import { setTimeout as sleep } from 'node:timers/promises';
import { openWire, RequestBody } from '../src/wire.ts';
import type { ResponseBody, Wire } from '../src/wire.ts';

/** A record to write as it stands, with any bytes. */
export interface RawRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | null>>;
}

/** A transactional producer spoken by hand: no client of ours or anybody else has a part in what the reader must find. */
export class RawProducer {
  readonly #wire: Wire;
  readonly #name: string;
  #id = 0n;
  #epoch = 0;
  readonly #sequences = new Map<string, number>();

  private constructor(wire: Wire, name: string) {
    this.#wire = wire;
    this.#name = name;
  }

  static async open(brokers: string, name: string): Promise<RawProducer> {
    const producer = new RawProducer(await openWire(brokers, 20_000), name);
    const response = await producer.#settled(22, 1, () => new RequestBody().string(name).int32(60_000));
    producer.#id = response.int64();
    producer.#epoch = response.int16();
    return producer;
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    const body = new RequestBody();
    body.array([name], (topic) => body.string(topic).int32(partitions).int16(1).int32(0).int32(0));
    const response = await this.#wire.send(19, 2, body.int32(10_000).int8(0));
    response.int32();
    response.array(() => {
      response.string();
      const error = response.int16();
      if (error !== 0) throw new Error(`topic ${name}: error code ${error}`);
      response.string();
    });
  }

  /** Writes one batch per partition, then commits, aborts, or leaves the transaction open. */
  async transaction(topic: string, batches: ReadonlyMap<number, readonly RawRecord[]>, end: 'commit' | 'abort' | 'open'): Promise<void> {
    for (const [partition, records] of batches) {
      await this.#addPartition(topic, partition);
      await this.#produce(topic, partition, records);
    }
    if (end !== 'open') await this.#settled(26, 1, () => this.#head().int8(end === 'commit' ? 1 : 0));
  }

  close(): void {
    this.#wire.close();
  }

  #head(): RequestBody {
    return new RequestBody().string(this.#name).int64(this.#id).int16(this.#epoch);
  }

  async #addPartition(topic: string, partition: number): Promise<void> {
    for (;;) {
      const body = this.#head();
      body.array([topic], (name) => body.string(name).array([partition], (number) => body.int32(number)));
      const response = await this.#wire.send(24, 1, body);
      response.int32();
      const [error] = response.array(() => {
        response.string();
        return response.array(() => [response.int32(), response.int16()] as const)[0]?.[1] ?? -1;
      });
      if (error === 0) return;
      // CONCURRENT_TRANSACTIONS: the markers of the one before are still being written. 3: a leader is being chosen.
      if (error !== 51 && error !== 3) throw new Error(`AddPartitionsToTxn: error code ${error}`);
      await sleep(10);
    }
  }

  async #produce(topic: string, partition: number, records: readonly RawRecord[]): Promise<void> {
    const sequence = this.#sequences.get(`${topic}/${partition}`) ?? 0;
    this.#sequences.set(`${topic}/${partition}`, sequence + records.length);
    const batch = encodeBatch(records, { id: this.#id, epoch: this.#epoch, sequence });
    for (;;) {
      const body = new RequestBody().string(this.#name).int16(-1).int32(10_000);
      body.array([topic], (name) => body.string(name).array([partition], (number) => body.int32(number).bytes(batch)));
      const response = await this.#wire.send(0, 3, body);
      const [error] = response.array(() => {
        response.string();
        return response.array(() => [response.int32(), response.int16(), response.int64(), response.int64()] as const)[0]?.[1] ?? -1;
      });
      if (error === 0) return;
      // NOT_LEADER_OR_FOLLOWER: the topic is so fresh that its leader has not been told yet.
      if (error !== 6) throw new Error(`Produce: error code ${error}`);
      await sleep(10);
    }
  }

  async #settled(apiKey: number, version: number, body: () => RequestBody): Promise<ResponseBody> {
    for (;;) {
      const response = await this.#wire.send(apiKey, version, body());
      response.int32();
      const error = response.int16();
      if (error === 0) return response;
      if (![14, 15, 16, 51].includes(error)) throw new Error(`request ${apiKey}: error code ${error}`);
      await sleep(10);
    }
  }
}

interface Sender {
  readonly id: bigint;
  readonly epoch: number;
  readonly sequence: number;
}

/** A record batch of magic 2 (KIP-98), transactional, uncompressed. */
function encodeBatch(records: readonly RawRecord[], sender: Sender): Buffer {
  const now = BigInt(Date.now());
  const transactional = 16;
  const body = new RequestBody()
    .int16(transactional)
    .int32(records.length - 1)
    .int64(now)
    .int64(now);
  body.int64(sender.id).int16(sender.epoch).int32(sender.sequence).int32(records.length);
  const checked = Buffer.concat([body.finish(), ...records.map(encodeRecord)]);
  const head = new RequestBody()
    .int32(-1)
    .int8(2)
    .int32(crc32c(checked) | 0)
    .finish();
  return Buffer.concat([
    new RequestBody()
      .int64(0n)
      .int32(head.length + checked.length)
      .finish(),
    head,
    checked,
  ]);
}

function encodeRecord(record: RawRecord, at: number): Buffer {
  const headers = Object.entries(record.headers);
  const parts = [Buffer.from([0]), varint(0), varint(at), sized(record.key), sized(record.value), varint(headers.length)];
  for (const [name, value] of headers) parts.push(sized(Buffer.from(name)), sized(value));
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
}

function sized(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

function crc32c(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
