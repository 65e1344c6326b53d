import { connect } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import { brokersUnderTest, numbersOf, openKafkaBench, upTo } from '../../../testing/kafka-bench.ts';
import { ClusterAdmin } from '../admin.ts';
import { Clients } from '../client.ts';
import { isFenced } from '../faults.ts';
import { TransactionalWriter } from '../writer.ts';

jest.setTimeout(120_000);

/** Connections that count what is sent, as `key vVERSION`. */
function counting() {
  const counts = new Map<string, number>();
  const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (bytes: Buffer, ...rest: unknown[]) => {
      const name = `${bytes.readInt16BE(4)} v${bytes.readInt16BE(6)}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return write(bytes, ...rest);
    };
    return socket;
  };
  return { counts, socketFactory };
}

const api = { produce: '0 v12', addPartitions: '24 v1', addOffsets: '25 v1', endTxn: '26 v5', txnOffsetCommit: '28 v5' } as const;

async function openCounted() {
  const bench = await openKafkaBench();
  const { counts, socketFactory } = counting();
  const clients = new Clients({ brokers: brokersUnderTest(), clientId: 'writers', socketFactory });
  const { suffix, input, output } = bench;
  const partition = { topic: input, partition: 1 };
  const recordsOf = (numbers: readonly number[]) =>
    numbers.map((n) => ({ topic: output, partition: n % 3, key: null, value: Buffer.from(String(n)) }));
  const commitOf = (numbers: readonly number[], next: number) => ({
    group: `copy-${suffix}`,
    records: recordsOf(numbers),
    partition,
    next,
  });
  const newWriter = () => new TransactionalWriter(clients, `copy-${suffix}`, partition);
  const transactionalId = `copy-${suffix}/${input}/1`;
  const admin = new ClusterAdmin(new Clients({ brokers: brokersUnderTest(), clientId: 'admin' }));
  const committed = () => admin.committed(`copy-${suffix}`, partition);
  const close = () => Promise.all([admin.close(), bench.bus.close()]);
  return { ...bench, counts, newWriter, transactionalId, commitOf, committed, close };
}

/** Short.MAX_VALUE - 1: the last epoch that a client is given. */
const lastEpoch = 32_766;

describe('transactions of version 2 on a real broker', () => {
  it('cost three requests each, and their records and offsets are there once', async () => {
    const { bus, output, counts, newWriter, commitOf, committed, close } = await openCounted();
    const writer = newWriter();
    await writer.open();
    expect(counts.get(api.endTxn)).toBeUndefined();
    for (let i = 0; i < 100; i++) await writer.commit(commitOf([3 * i, 3 * i + 1, 3 * i + 2], i + 1));
    await writer.close();
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(300));
    expect(await committed()).toBe(100);
    expect([counts.get(api.addPartitions), counts.get(api.addOffsets)]).toEqual([undefined, undefined]);
    expect(counts.get(api.endTxn)).toBe(100);
    // A broker that still writes the markers of the transaction before is asked again.
    expect(counts.get(api.produce)).toBeGreaterThanOrEqual(100);
    expect(counts.get(api.txnOffsetCommit)).toBeGreaterThanOrEqual(100);
    await close();
  });

  it('commit offsets alone', async () => {
    const { counts, newWriter, commitOf, committed, close } = await openCounted();
    const writer = newWriter();
    await writer.open();
    await writer.commit(commitOf([], 4));
    await writer.commit(commitOf([], 7));
    await writer.close();
    expect(await committed()).toBe(7);
    expect([counts.get(api.produce), counts.get(api.endTxn)]).toEqual([undefined, 2]);
    await close();
  });

  it('leave nothing of a zombie, whose epoch is from before its own last commit or from before its successor', async () => {
    const { bus, output, newWriter, commitOf, committed, close } = await openCounted();
    const [zombie, successor] = [newWriter(), newWriter()];
    await zombie.open();
    await zombie.commit(commitOf([0], 1));
    await successor.open();
    await expect(zombie.commit(commitOf([7], 9)).catch((error: unknown) => Promise.reject(isFenced(error)))).rejects.toBe(true);
    await successor.commit(commitOf([1], 2));
    await expect(zombie.commit(commitOf([8], 9))).rejects.toThrow();
    await successor.commit(commitOf([2], 3));
    expect(numbersOf(await bus.readAll([output]))).toEqual([0, 1, 2]);
    expect(await committed()).toBe(3);
    await Promise.all([zombie.close(), successor.close()]);
    await close();
  });

  it('go on with another producer id when the epochs of one are used up, and fence those who still have the old one', async () => {
    const { bus, output, newWriter, transactionalId, commitOf, committed, close } = await openCounted();
    const cluster = new Clients({ brokers: brokersUnderTest(), clientId: 'bumper' }).cluster();
    await cluster.connect();
    const coordinator = (await cluster.findGroupCoordinator({ groupId: transactionalId, coordinatorType: 1 })) as unknown as {
      initProducerId(request: object): Promise<{ producerId: string; producerEpoch: number }>;
    };
    const init = () => coordinator.initProducerId({ transactionalId, transactionTimeout: 20_000 });
    const first = await init();
    let { producerEpoch } = first;
    while (producerEpoch < lastEpoch - 5) ({ producerEpoch } = await init());
    const [zombie, successor] = [newWriter(), newWriter()];
    await zombie.open();
    for (let i = 0; i < 10; i++) await zombie.commit(commitOf([3 * i, 3 * i + 1, 3 * i + 2], i + 1));
    await successor.open();
    expect((await init()).producerId).not.toBe(first.producerId);
    await expect(zombie.commit(commitOf([77], 99)).catch((error: unknown) => Promise.reject(isFenced(error)))).rejects.toBe(true);
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(30));
    expect(await committed()).toBe(10);
    await Promise.all([zombie.close(), successor.close(), cluster.disconnect()]);
    await close();
  });
});
