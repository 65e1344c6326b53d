import { decodeExample, decodePolicy, policyTopic, topicsOf } from '@sluice/contracts';
import { openBroker, type BrokerHandle } from '@sluice/broker';
import { shippedModels } from '@sluice/demo';
import { Learner } from '@sluice/learning';
import { signatureShape } from '@sluice/routing';
import { loadManifests, relativeCosts } from '@sluice/service';
import { kafkaRun } from './testing/kafka-run.ts';

jest.setTimeout(300_000);

let broker: BrokerHandle;
beforeAll(async () => {
  if (process.env['KAFKA_BROKERS'] === undefined) throw new Error('KAFKA_BROKERS is not set: run this suite through `npm test`');
  broker = await openBroker({ brokers: process.env['KAFKA_BROKERS'] });
});
afterAll(() => broker.close());

describe('the system on a real broker', () => {
  it('loses and doubles nothing when router and worker are killed in mid-stream', async () => {
    await using run = await kafkaRun({ broker, events: 4000, poison: 200, rate: 500 });
    const streaming = run.stream.run();
    await run.collector.until(() => run.collector.answered > 800, 60_000);
    await run.system.crash('router');
    await run.collector.until(() => run.collector.answered > 2000, 60_000);
    await run.system.crash('inference-heavy');
    await streaming;
    expect(await run.collector.until(() => run.collector.answered >= 4200, 90_000)).toBe(true);
    const verdict = await run.verdict();
    expect(verdict).toMatchObject({ requests: 4200, lost: 0, duplicated: 0, orderViolations: 0, unexplained: 0, faults: [] });
    expect(verdict.predictions + verdict.deadLetters + verdict.drops).toBe(4200);
  });

  it('goes on learning after feedback is killed: the last policy is the fold of all examples, bit for bit', async () => {
    await using run = await kafkaRun({ broker, events: 2400, poison: 0, rate: 400 });
    const streaming = run.stream.run();
    await run.collector.until(() => (run.collector.seen.latestPolicy?.version ?? 0) > 1000, 60_000);
    await run.system.crash('feedback');
    await streaming;
    await run.collector.until(() => run.collector.answered >= 2400, 60_000);
    const { flow, schemas } = run.files;
    const published = async () =>
      (await run.bus.readAll([policyTopic])).filter(({ key }) => key!.toString() === flow.flow).map(({ value }) => decodePolicy(value!));
    // Every prediction gives a decision and, where its outcome came, a truth: the learner is done when it has folded as many.
    const wanted = 2400 + run.stream.outcomesPublished;
    await run.collector.until(() => (run.collector.seen.latestPolicy?.version ?? 0) >= wanted, 60_000);
    const examples = await run.bus.readAll([topicsOf(flow.flow).examples]);
    const last = (await published()).at(-1)!;
    const costs = relativeCosts(flow, await loadManifests(flow, shippedModels));
    const learner = Learner.create(flow, signatureShape(flow, schemas).width, costs);
    for (const { value, offset } of examples) if (offset < last.examplesOffset) learner.fold(decodeExample(value!));
    expect(last.version).toBeGreaterThanOrEqual(wanted);
    expect(learner.snapshot(last.examplesOffset)).toEqual(last);
  });
});
