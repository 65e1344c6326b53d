import { brokersUnderTest, numbersOf, openKafkaBench } from '../../testing/kafka-bench.ts';
import { ClusterAdmin } from './admin.ts';
import { Clients } from './client.ts';
import { isFenced } from './faults.ts';
import { TransactionalWriter } from './writer.ts';

jest.setTimeout(60_000);

describe('a transactional writer on a real broker', () => {
  it('is fenced by its successor: a zombie commits nothing and leaves nothing visible', async () => {
    const { bus, suffix, input, output } = await openKafkaBench();
    const clients = new Clients({ brokers: brokersUnderTest(), clientId: 'writers' });
    const admin = new ClusterAdmin(clients);
    const partition = { topic: input, partition: 1 };
    const commitOf = (text: string, next: number) => ({
      group: `copy-${suffix}`,
      records: [{ topic: output, partition: 0, key: null, value: Buffer.from(text) }],
      partition,
      next,
    });
    const zombie = new TransactionalWriter(clients, `copy-${suffix}`, partition);
    await zombie.open();
    await zombie.commit(commitOf('1', 1));
    const successor = new TransactionalWriter(clients, `copy-${suffix}`, partition);
    await successor.open();
    await expect(zombie.commit(commitOf('2', 2)).catch((error: unknown) => Promise.reject(isFenced(error)))).rejects.toBe(true);
    await successor.commit(commitOf('3', 2));
    expect(numbersOf(await bus.readAll([output]))).toEqual([1, 3]);
    expect(await admin.committed(`copy-${suffix}`, partition)).toBe(2);
    await Promise.all([zombie.close(), successor.close(), admin.close(), bus.close()]);
  });

  it('leaves neither records nor offsets of a transaction that its successor ends', async () => {
    const { bus, suffix, input, output } = await openKafkaBench();
    const clients = new Clients({ brokers: brokersUnderTest(), clientId: 'writers' });
    const admin = new ClusterAdmin(clients);
    const partition = { topic: input, partition: 0 };
    const producer = clients.kafka().producer({ transactionalId: `copy-${suffix}/${input}/0`, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const open = await producer.transaction();
    await open.send({ topic: output, messages: [{ value: '7', partition: 0 }] });
    await open.sendOffsets({ consumerGroupId: `copy-${suffix}`, topics: [{ topic: input, partitions: [{ partition: 0, offset: '5' }] }] });
    await producer.disconnect();
    const successor = new TransactionalWriter(clients, `copy-${suffix}`, partition);
    await successor.open();
    expect(await bus.readAll([output])).toEqual([]);
    expect(await admin.committed(`copy-${suffix}`, partition)).toBeUndefined();
    await Promise.all([successor.close(), admin.close(), bus.close()]);
  });
});
