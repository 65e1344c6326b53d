import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import { kafkaBus } from '@sluice/streaming';
import { Clients, producerDefaults } from '@sluice/streaming/testing';
import { openBroker, readWithJava, type BrokerHandle } from './index.ts';

const values = Array.from({ length: 300 }, (_, i) => `${i} ${'compressible '.repeat(20 + (i % 200))}`);
const brokers = (): string => {
  const named = process.env['KAFKA_BROKERS'];
  if (!named) throw new Error('KAFKA_BROKERS is not set: integration suites need a real broker');
  return named;
};

let handle: BrokerHandle;
let bus: ReturnType<typeof kafkaBus>;
beforeAll(async () => {
  handle = await openBroker({ brokers: brokers() });
  bus = kafkaBus({ brokers: brokers().split(','), clientId: 'codecs' });
});
afterAll(async () => {
  await bus?.close();
  await handle?.close();
});
const newTopic = async (name: string) => {
  const topic = `codec-${name}-${Date.now()}`;
  await bus.ensureTopics([{ name: topic, partitions: 1 }]);
  return topic;
};

/** Kafka's own console producer, one value a line. */
async function writeWithJava(topic: string, codec: string): Promise<void> {
  const { java, jars, flags } = handle.judge!;
  const classPath = readdirSync(jars)
    .map((name) => join(jars, name))
    .join(':');
  const args = ['--bootstrap-server', brokers(), '--topic', topic, '--compression-codec', codec];
  const child = spawn(java, [...flags, '-cp', classPath, 'org.apache.kafka.tools.ConsoleProducer', ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  child.stdin.end(values.join('\n') + '\n');
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(complaints);
}

describe.each([
  ['none', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
])('record batches packed with %s', (name, compression) => {
  it('of the Java producer are read', async () => {
    const topic = await newTopic(name);
    await writeWithJava(topic, name);
    expect((await bus.readAll([topic])).map(({ value }) => String(value))).toEqual(values);
  });

  it('of ours are read by the Java consumer', async () => {
    const topic = await newTopic(name);
    const producer = new Clients({ brokers: brokers().split(','), clientId: 'codecs' }).kafka().producer(producerDefaults);
    await producer.connect();
    const messages = values.map((value, i) => ({ key: `key ${i}`, value, partition: 0, headers: { name: `header ${i}` } }));
    await producer.sendBatch({ acks: -1, compression, topicMessages: [{ topic, messages }] });
    await producer.disconnect();
    const read = await readWithJava({ handle, topic, values: true });
    expect(read.map(({ value }) => String(value))).toEqual(values);
    expect(read.map(({ key }) => String(key))).toEqual(messages.map(({ key }) => key));
  });
});
