import { randomBytes } from 'node:crypto';
import { deadLetter, topicsOf, topicSpecs } from '@sluice/contracts';
import { demoFlowFile } from '@sluice/demo';
import { SluiceError } from '@sluice/domain';
import { loadFlow } from '@sluice/service';
import { kafkaBus } from '@sluice/streaming';
import { redrive } from './redrive.ts';

jest.setTimeout(60_000);

const letters = 900;

describe('sluice dlq on a real broker', () => {
  it('sends each record once, though two redrives run at the same time and one of them is fenced', async () => {
    const brokers = process.env['KAFKA_BROKERS'];
    if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set: run this suite through `npm test`');
    const demo = await loadFlow(demoFlowFile('mail'));
    const flow = { ...demo.flow, flow: `mail-${randomBytes(4).toString('hex')}` };
    const topics = topicsOf(flow.flow);
    const bus = kafkaBus({ brokers: brokers.split(','), clientId: 'sluice-test' });
    await bus.ensureTopics(topicSpecs(flow));
    const error = new SluiceError('SLUICE_MODEL_FAILED', 'it was down');
    const refused = Array.from({ length: letters }, (_, offset) => {
      const record = {
        topic: topics.requests,
        partition: offset % 2,
        offset,
        timestamp: 0,
        key: null,
        value: Buffer.from(String(offset)),
        headers: {},
      };
      return deadLetter({ record, error, stage: 'mail-heavy', topic: topics.deadLetters, attempts: 1 });
    });
    await (await bus.openPublisher()).publish(refused);
    const runs = await Promise.allSettled([redrive(bus, flow.flow, {}), redrive(bus, flow.flow, {})]);
    expect(runs.some(({ status }) => status === 'fulfilled')).toBe(true);
    await redrive(bus, flow.flow, {});
    const sent = (await bus.readAll([topics.requests])).map(({ value }) => Number(value)).sort((a, b) => a - b);
    expect(sent).toEqual(Array.from({ length: letters }, (_, offset) => offset));
    expect(await redrive(bus, flow.flow, {})).toMatchObject({ sent: [], before: letters });
    await bus.close();
  });
});
