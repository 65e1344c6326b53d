import { randomUUID } from 'node:crypto';
import { openBroker, readWithJava } from './index.ts';
import type { BrokerHandle } from './index.ts';
import { runCommand } from './command.ts';
import { reach } from './kafka-api.ts';
import { RawProducer } from '../testing/raw-producer.ts';

const suite = process.env['SLUICE_NO_CONTAINER'] === undefined ? describe : describe.skip;

suite('a broker in a container', () => {
  let handle: BrokerHandle;
  const steps: string[] = [];
  beforeAll(async () => {
    const started = performance.now();
    handle = await openBroker({ choice: 'container', onStep: (text) => steps.push(text) });
    process.stderr.write(`container: ready after ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  });
  afterAll(() => handle.close());

  it('carries transactions, and the second client reads them', async () => {
    const producer = await RawProducer.open(handle.brokers!, randomUUID());
    const topic = `t-${randomUUID()}`;
    await producer.createTopic(topic, 1);
    const record = (text: string) => ({ key: Buffer.from(text), value: null, headers: {} });
    await producer.transaction(topic, new Map([[0, [record('kept')]]]), 'commit');
    await producer.transaction(topic, new Map([[0, [record('lost')]]]), 'abort');
    producer.close();
    expect((await readWithJava({ handle, topic })).map(({ key }) => key?.toString())).toEqual(['kept']);
  });

  it('is published on loopback only', async () => {
    const port = handle.brokers!.split(':')[1];
    const { stdout } = await runCommand('docker', ['ps', '--format', '{{.Ports}}']);
    expect(stdout.split('\n').find((line) => line.includes(`:${port}->`))).toContain(`127.0.0.1:${port}->9092`);
  });

  it('names the image it runs from', () => {
    expect(handle.version).toMatch(/^4\.3\.1 \((sluice|apache)\/kafka:4\.3\.1\)$/);
    expect(steps.at(-1)).toContain('Broker: container');
  });

  it('is removed on close', async () => {
    await handle.close();
    expect(await reach(handle.brokers!)).toBeDefined();
  });
});
