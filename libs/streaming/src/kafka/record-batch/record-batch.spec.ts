import fc from 'fast-check';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import hooks from 'kafkajs/src/protocol/recordBatch/hooks.js';
import decodeMessages from 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js';
import produceRequest from 'kafkajs/src/protocol/requests/produce/v7/request.js';
import { crc32c, portableCrc32c } from './crc32c.ts';
import { decodeBatches, type FetchedMessage } from './decode.ts';
import type { Message } from './encode.ts';
import { field, lengthFrom } from './layout.ts';
import { encodeProduce, type ProduceRequest } from './produce-request.ts';
import './install.ts';

const ours = { ...hooks };
afterEach(() => Object.assign(hooks, ours));
/** Runs the client's own code instead of ours. */
async function stock<T>(run: () => Promise<T>): Promise<T> {
  Object.assign(hooks, { encodeProduce: undefined, decodeBatches: undefined });
  try {
    return await run();
  } finally {
    Object.assign(hooks, ours);
  }
}

const now = 1_700_000_000_000;
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'grapheme', maxLength: 80 });
/** Not those that every object has: the client itself takes what it inherits for a first value. */
const headerName = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => !(name in Object.prototype));
const headers = fc.dictionary(headerName, fc.oneof(bytes, text, fc.array(bytes, { minLength: 1, maxLength: 3 })), {
  maxKeys: 4,
  noNullPrototype: true,
});
const message = fc.record({
  key: fc.option(bytes),
  value: fc.option(fc.oneof(bytes, text)),
  timestamp: fc.integer({ min: now - 5e10, max: now }).map(String),
  headers,
}) as fc.Arbitrary<Message>;
const request: fc.Arbitrary<ProduceRequest> = fc.record({
  transactionalId: fc.option(text.filter((id) => id.length > 0)),
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat(60_000),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 62n }),
  producerEpoch: fc.nat(32_767),
  topicData: fc.array(
    fc.record({
      topic: fc.string({ minLength: 1, maxLength: 40 }),
      partitions: fc.array(
        fc.record({
          partition: fc.nat(1_000),
          firstSequence: fc.nat(2 ** 31 - 1),
          messages: fc.array(message, { minLength: 1, maxLength: 12 }),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
});

/** The batches of the one partition in an encoded request, as a broker would send them. */
async function batchOf(messages: readonly Message[], more: Partial<ProduceRequest> = {}): Promise<Buffer> {
  const topicData = [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages }] }];
  const { buffer } = await encodeProduce({ acks: -1, timeout: 1, ...more, topicData }, now);
  return buffer.subarray(buffer.length - (await sizeOf(buffer)));
}
const sizeOf = async (encoded: Buffer) => encoded.readInt32BE(encoded.indexOf(Buffer.from([0, 0, 0, 1, 0, 1, 0x74])) + 7 + 4 + 4);
const partOf = (batches: Buffer) => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(batches.length);
  return new Decoder(Buffer.concat([size, batches]));
};
const shapeOf = ({ offset, timestamp, key, value, headers: of, isControlRecord, batchContext }: FetchedMessage) => ({
  ...{ offset, timestamp, key, value, headers: of, isControlRecord },
  ...{ producerId: batchContext.producerId, inTransaction: batchContext.inTransaction, firstOffset: batchContext.firstOffset },
  lastOffsetDelta: batchContext.lastOffsetDelta,
});

describe('the encoder of record batches', () => {
  it('writes byte for byte what the client itself would write, for any request', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        const expected = await stock(async () => (await produceRequest(one).encode()).buffer as Buffer);
        expect((await encodeProduce(one, now)).buffer.equals(expected)).toBe(true);
      }),
    );
  });

  it('is the one that the client uses', async () => {
    const given: unknown[] = [];
    Object.assign(hooks, { encodeProduce: (one: unknown) => given.push(one) });
    await produceRequest({ acks: -1, timeout: 1, topicData: [] }).encode();
    expect(given).toHaveLength(1);
  });

  it('leaves headers out that are undefined and keeps null ones', async () => {
    const [read] = await decodeBatches(await batchOf([{ value: 'v', headers: { gone: undefined, empty: null, here: 'x' } }]));
    expect(read!.headers).toEqual({ empty: null, here: Buffer.from('x') });
  });
});

describe('the decoder of record batches', () => {
  it.each(['__proto__', 'constructor', 'toString'])('takes a header called %s for what it is', async (name) => {
    const headers = Object.fromEntries([[name, Buffer.from('x')]]);
    const [read] = await decodeBatches(await batchOf([{ value: 'v', headers }]));
    expect(Object.entries(read!.headers)).toEqual([[name, Buffer.from('x')]]);
  });

  it('reads what the client itself would read, whatever the codec', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), fc.constantFrom(0, 1), async (messages, compression) => {
        const batch = await batchOf(messages, { compression, transactionalId: 'id', producerId: 7n });
        batch.writeBigInt64BE(123_456_789_012n, field.baseOffset);
        const expected = (await stock(() => decodeMessages(partOf(batch)))) as FetchedMessage[];
        const read = (await decodeMessages(partOf(batch))) as FetchedMessage[];
        expect(read.map(shapeOf)).toEqual(expected.map(shapeOf));
      }),
    );
  });

  it.each([1, 2, 3, 4])('reads back what it packs with codec %i', async (compression) => {
    const messages = Array.from({ length: 200 }, (_, i) => ({ key: `${i}`, value: `value ${i}`.repeat(40), timestamp: String(now + i) }));
    const read = await decodeBatches(await batchOf(messages, { compression }));
    expect(read.map(({ value, time }) => [String(value), time])).toEqual(
      messages.map(({ value, timestamp }) => [value, Number(timestamp)]),
    );
  });

  it('leaves out the batch that the byte limit cut off', async () => {
    const batch = await batchOf([{ value: 'one' }]);
    for (let cut = 0; cut < batch.length; cut++) {
      expect(await decodeBatches(Buffer.concat([batch, batch.subarray(0, cut)]))).toHaveLength(1);
    }
  });

  it('delivers no record of a batch with any flipped bit: one damaged message stands for it, and the next batch is read', async () => {
    const [batch, next] = [await batchOf([{ value: 'one' }, { value: 'two' }]), await batchOf([{ value: 'three' }])];
    next.writeBigInt64BE(2n, field.baseOffset);
    for (let bit = field.magic * 8; bit < batch.length * 8; bit++) {
      const flipped = Buffer.from(batch);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const read = await decodeBatches(Buffer.concat([flipped, next]));
      expect(read.map(({ offset, damage }) => [offset, damage === undefined])).toEqual([
        ['1', false],
        ['2', true],
      ]);
      expect(read[0]!.value).toEqual(flipped);
    }
  });

  it('names the codec that it does not know, and what cannot be unpacked', async () => {
    for (const [codec, reason] of [
      [5, /codec 5 is not known/],
      [2, /snappy/],
      [3, /lz4/],
      [4, /zstd/],
    ] as const) {
      const batch = await batchOf([{ value: 'plain' }]);
      batch.writeInt16BE(codec, field.attributes);
      batch.writeUInt32BE(crc32c(batch.subarray(field.attributes)), field.crc);
      const [read] = await decodeBatches(batch);
      expect(read!.damage?.reason).toMatch(reason);
    }
  });

  it('never reads beyond a record, whatever bytes stand in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 5 }), async (garbage, count) => {
        const batch = Buffer.concat([(await batchOf([{ value: null }])).subarray(0, field.records), garbage]);
        batch.writeInt32BE(batch.length - lengthFrom, field.length);
        batch.writeInt32BE(count, field.count);
        batch.writeUInt32BE(crc32c(batch.subarray(field.attributes)), field.crc);
        for (const read of await decodeBatches(batch)) expect(read).toHaveProperty('batchContext');
      }),
    );
  });
});

describe('CRC-32C', () => {
  it('comes out the same natively and without native code, and as RFC 3720 has it', () => {
    expect(portableCrc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(portableCrc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (array) => crc32c(array) === portableCrc32c(array)));
  });
});
