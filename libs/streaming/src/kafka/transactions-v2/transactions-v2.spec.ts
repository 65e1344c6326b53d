import fc from 'fast-check';
import hooks from 'kafkajs/src/producer/transactionsV2.js';
import { isFenced, protocolType } from '../faults.ts';
import { endTxn } from './end-txn.ts';
import { FlexibleReader, FlexibleWriter } from './flexible.ts';
import { produce } from './produce.ts';
import type { Request } from './request.ts';
import './install.ts';

const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 300 }));

describe('the flexible form of requests', () => {
  it('reads what it writes, of any length, and passes over tags that it does not know', () => {
    const row = fc.record({
      text,
      small: fc.integer({ min: -32_768, max: 32_767 }),
      large: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 200 }), (rows) => {
        const writer = new FlexibleWriter();
        writer.array(rows, (one) => writer.string(one.text).int16(one.small).int64(one.large).tags()).boolean(true);
        const reader = new FlexibleReader(writer.finish().buffer);
        reader.tags();
        const read = reader.array(() => {
          const one = { text: reader.string(), small: reader.int16(), large: BigInt(reader.int64()) };
          reader.tags();
          return one;
        });
        expect(read).toEqual(rows);
      }),
    );
    const tagged = new FlexibleReader(Buffer.from([2, 5, 3, 9, 9, 9, 7, 2, 0, 42, 0, 1]));
    const found: number[] = [];
    tagged.tags({ 7: () => void found.push(tagged.int16()) });
    expect([...found, tagged.int16()]).toEqual([42, 1]);
  });

  it('frames records as the protocol has it (ProduceRequest.json, versions 9 to 12)', async () => {
    const partitions = [{ partition: 3, firstSequence: 0, messages: [{ key: 'k', value: 'v'.repeat(200) }] }];
    const { request } = produce({
      ...{ transactionalId: 'id', acks: -1, timeout: 5, producerId: 1n, producerEpoch: 4 },
      topicData: [{ topic: 'topic', partitions }],
    });
    const { buffer } = await request.encode();
    const reader = new FlexibleReader(buffer);
    reader.tags();
    expect([reader.string(), reader.int16(), reader.int32()]).toEqual(['id', -1, 5]);
    const topics = reader.array(() => {
      const topic = { topic: reader.string(), partitions: reader.array(() => [reader.int32(), reader.string()?.length, reader.tags()]) };
      reader.tags();
      return topic;
    });
    reader.tags();
    expect(topics).toMatchObject([{ topic: 'topic', partitions: [[3, expect.any(Number), undefined]] }]);
    expect(() => reader.int16()).toThrow('out of range');
  });
});

describe('what brokers answer in version 2', () => {
  const parsed = async (errorCode: number) => {
    const { response } = endTxn({ transactionalId: 'id', producerId: '1', producerEpoch: 0, transactionResult: true });
    const bytes = new FlexibleWriter().int32(0).int16(errorCode).int64('17').int16(1).tags().finish().buffer;
    return response.parse(await response.decode(bytes));
  };

  it('is the producer id and epoch of the next transaction, or an error with a name', async () => {
    expect(await parsed(0)).toMatchObject({ producerId: '17', producerEpoch: 1 });
    const fenced: unknown = await parsed(90).catch((error: unknown) => error);
    expect([protocolType(fenced), isFenced(fenced)]).toEqual(['PRODUCER_FENCED', true]);
    const abortable: unknown = await parsed(120).catch((error: unknown) => error);
    expect([protocolType(abortable), isFenced(abortable)]).toEqual(['TRANSACTION_ABORTABLE', false]);
  });
});

describe('negotiation', () => {
  const { negotiate } = hooks as { negotiate: (versions: object, send: (request: Request<object>) => Promise<object>) => Promise<boolean> };
  const upTo = (maxVersion: number) => ({ minVersion: 0, maxVersion });
  const new4 = { 0: upTo(13), 18: upTo(4), 26: upTo(5), 28: upTo(5) };
  /** A broker that has made this level of transaction.version final. */
  const askWith = (level: number) => {
    const asked: Request<object>[] = [];
    const send = (request: Request<object>) => {
      asked.push(request);
      const answer = [0, 0, 1, 0, 0, 0, 0, 2, 0, 1, 0, 2, 1 + 1 + 19 + 5, 2, 20];
      return request.response.decode(
        Buffer.concat([Buffer.from(answer), Buffer.from('transaction.version'), Buffer.from([0, level, 0, level, 0])]),
      );
    };
    return { asked, send };
  };

  it('takes version 2 where the feature is final', async () => {
    expect(await negotiate(new4, askWith(2).send)).toBe(true);
    expect(await negotiate(new4, askWith(1).send)).toBe(false);
  });

  it.each(['0', '18', '26', '28'])('asks for no features where request %s is too old', async (key) => {
    const { asked, send } = askWith(2);
    expect(await negotiate({ ...new4, [key]: upTo(2) }, send)).toBe(false);
    expect(asked).toEqual([]);
  });
});
