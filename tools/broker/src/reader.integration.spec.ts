import { randomBytes, randomUUID } from 'node:crypto';
import { openBroker, readWithJava } from './index.ts';
import type { BrokerHandle } from './index.ts';
import { partitionEnds } from './partition-ends.ts';
import { RawProducer } from '../testing/raw-producer.ts';
import type { RawRecord } from '../testing/raw-producer.ts';

const plain = (text: string): RawRecord => ({ key: Buffer.from(text), value: Buffer.from(text), headers: {} });

describe('the second client', () => {
  let handle: BrokerHandle;
  let producer: RawProducer;
  let topic: string;
  beforeAll(async () => {
    handle = await openBroker();
    producer = await RawProducer.open(handle.brokers!, randomUUID());
  });
  beforeEach(async () => {
    topic = `read-${randomUUID()}`;
    await producer.createTopic(topic, 2);
  });
  afterAll(async () => {
    producer.close();
    await handle.close();
  });
  const write = (end: 'commit' | 'abort' | 'open', texts: readonly string[], partition = 0) =>
    producer.transaction(topic, new Map([[partition, texts.map(plain)]]), end);
  const keysRead = async () => (await readWithJava({ handle, topic })).map(({ key }) => key?.toString());

  it('sees what was committed and nothing that was aborted, also when the log ends in aborted records', async () => {
    await write('commit', ['a', 'b']);
    await write('abort', ['lost 1', 'lost 2']);
    await write('commit', ['c'], 1);
    await write('commit', ['d']);
    await write('abort', ['lost 3']);
    await write('abort', ['lost 4', 'lost 5']);
    expect((await keysRead()).sort()).toEqual(['a', 'b', 'c', 'd']);
    // 0, 1 | marker | 3, 4 aborted | marker | 6 | marker | 8 aborted | marker | 10, 11 aborted | marker
    expect(await partitionEnds(handle.brokers!, topic)).toEqual([
      { partition: 0, end: 13, lastVisible: 6 },
      { partition: 1, end: 2, lastVisible: 0 },
    ]);
  });

  it('brings any bytes of keys, values and headers through unharmed', async () => {
    const records: RawRecord[] = [
      { key: null, value: null, headers: {} },
      { key: Buffer.alloc(4), value: Buffer.from('null'), headers: { 'sluice-tag': randomBytes(300), empty: Buffer.alloc(0), none: null } },
      { key: Buffer.from('null'), value: randomBytes(2_000), headers: { text: Buffer.from('Partition:7\n\t, a:b \\ é') } },
      { key: Buffer.from([...Array(256).keys()]), value: Buffer.alloc(0), headers: { ce_id: Buffer.from('NO_HEADERS') } },
    ];
    await producer.transaction(topic, new Map([[1, records]]), 'commit');
    const read = await readWithJava({ handle, topic, values: true });
    const expected = records.map(({ key, value, headers }, offset) => {
      const present = Object.entries(headers).filter(([, content]) => content !== null);
      return { topic, partition: 1, offset, timestamp: expect.any(Number), key, value, headers: Object.fromEntries(present) };
    });
    expect(read).toEqual(expected);
  });

  it('returns at once from a topic where nothing is visible', async () => {
    await write('abort', ['lost']);
    expect(await keysRead()).toEqual([]);
  });

  it('stops before a transaction that is still open', async () => {
    await write('commit', ['a']);
    const other = await RawProducer.open(handle.brokers!, randomUUID());
    await other.transaction(topic, new Map([[0, [plain('undecided')]]]), 'open');
    await write('commit', ['behind']);
    expect(await keysRead()).toEqual(['a']);
    await other.transaction(topic, new Map(), 'commit');
    other.close();
    expect(await keysRead()).toEqual(['a', 'undecided', 'behind']);
  });

  it('fails loudly on a topic that does not exist', async () => {
    await expect(readWithJava({ handle, topic: 'no-such-topic' })).rejects.toMatchObject({ code: 'SLUICE_JUDGE_FAILED' });
  });

  it('reads twenty thousand records in seconds', async () => {
    for (let batch = 0; batch < 20; batch++) {
      const records = Array.from({ length: 1_000 }, (_, at) => plain(`${batch}/${at}`));
      await producer.transaction(topic, new Map([[batch % 2, records]]), 'commit');
    }
    const started = performance.now();
    expect(new Set(await keysRead()).size).toBe(20_000);
    process.stderr.write(`judge: 20,000 records in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  });
});
