import { brokersUnderTest, openKafkaBench, until } from '../../testing/kafka-bench.ts';
import { Clients } from './client.ts';

jest.setTimeout(60_000);

const producers = 8;
const roundCount = 12;

/** Eight producers interleave on one partition; three quarters of the transactions abort. @returns what was committed */
async function interleave(clients: Clients, topic: string): Promise<string[]> {
  const committed: string[] = [];
  const open = await Promise.all(
    Array.from({ length: producers }, async (_, i) => {
      const producer = clients.kafka().producer({ transactionalId: `${topic}-${i}`, idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      return producer;
    }),
  );
  for (let round = 0; round < roundCount; round++) {
    const transactions = await Promise.all(open.map((producer) => producer.transaction()));
    for (const part of [0, 1, 2]) {
      // The order changes from round to round, so that the broker's list of aborted transactions is not in log order.
      for (let i = 0; i < producers; i++) {
        const writer = (i * 3 + round + part) % producers;
        const key = (writer + round) % 5 === 0 ? Buffer.alloc(4) : null;
        await transactions[writer]!.send({ topic, messages: [{ key, value: `${round}/${writer}/${part}`, partition: 0 }] });
      }
    }
    for (const [writer, transaction] of transactions.entries()) {
      if ((writer + round) % 4 !== 0) await transaction.abort();
      else {
        await transaction.commit();
        committed.push(...[0, 1, 2].map((part) => `${round}/${writer}/${part}`));
      }
    }
  }
  await Promise.all(open.map((producer) => producer.disconnect()));
  return committed.sort();
}

describe('read_committed with interleaving aborts on one partition', () => {
  it('delivers every committed record and not one aborted record, to groups and to readers', async () => {
    const { bus, suffix } = await openKafkaBench();
    const topic = `leak-${suffix}`;
    await bus.ensureTopics([{ name: topic, partitions: 1 }]);
    const clients = new Clients({ brokers: brokersUnderTest(), clientId: 'leak' });
    const committed = await interleave(clients, topic);
    const consumer = clients.kafka().consumer({ groupId: `leak-${suffix}`, maxWaitTimeInMs: 100 });
    const read: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void read.push(message.value!.toString()) });
    await until('the committed records', () => new Set(read).size >= committed.length);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await consumer.disconnect();
    const aborted = read.filter((text) => !committed.includes(text));
    expect({ aborted: aborted.length, committed: read.length - aborted.length }).toEqual({ aborted: 0, committed: committed.length });
    const all = (await bus.readAll([topic])).map(({ value }) => value!.toString());
    expect(all.sort()).toEqual(committed);
    await bus.close();
  });
});
