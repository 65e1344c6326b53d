import {
  decodeTag,
  encodeHealth,
  encodeSingleObject,
  header,
  headerBytes,
  healthTopic,
  policyTopic,
  readDeadLetter,
  topicsOf,
  topicSpecs,
} from '@sluice/contracts';
import { encodePolicy } from '@sluice/contracts';
import { ManualClock, parseFlow, type Flow, type Health } from '@sluice/domain';
import { initialPolicy, route } from '@sluice/routing';
import { memoryBus } from '@sluice/streaming';
import { startRouter } from './app.ts';
import { quietHealth } from './testing/health.ts';

const schema = { type: 'record', name: 'Mail', fields: [{ name: 'links', type: 'int' }] };
const topics = topicsOf('mail');

const flowWith = (overload: Flow['overload']): Flow =>
  parseFlow({
    flow: 'mail',
    description: 'A flow for tests.',
    request: { schemas: ['mail.avsc'], partitions: 1, deadlineMs: 1_000 },
    labels: ['ham', 'spam'],
    signature: [{ field: 'links', kind: 'number', min: 0, max: 10 }],
    tiers: ['fast', 'heavy'].map((name) => ({ name, model: `mail-${name}` })),
    target: {},
    controller: { warmUp: 0 },
    overload,
  });

/** Ten requests under queues as the workers told of them, in milliseconds; the policy lets both tiers serve, or heavy alone. */
async function routedUnder(overload: Flow['overload'], delays: readonly [fast: number, heavy: number], heavyOnly = false) {
  const flow = flowWith(overload);
  const clock = new ManualClock(1_000_000);
  const bus = memoryBus({ now: () => clock.now() });
  await bus.ensureTopics(topicSpecs(flow));
  const publisher = await bus.openPublisher();
  const policy = { ...initialPolicy(flow), version: 1, heavyOnly };
  await publisher.publish([{ topic: policyTopic, key: Buffer.from('mail'), value: encodePolicy(policy) }]);
  await publisher.publish(
    flow.tiers.map(({ model }, tier) => ({
      topic: healthTopic,
      key: Buffer.from(`mail/${model}/one`),
      value: encodeHealth(healthOf(model, delays[tier]!)),
    })),
  );
  const router = await startRouter({ bus, flow, schemas: [schema], costs: [0.1, 1], clock });
  await publisher.publish(
    Array.from({ length: 10 }, (_, links) => ({ topic: topics.requests, key: null, value: encodeSingleObject(schema, { links }) })),
  );
  await bus.settle();
  const [fast, heavy, dead] = [
    await bus.readAll([topics.model('mail-fast')]),
    await bus.readAll([topics.model('mail-heavy')]),
    await bus.readAll([topics.deadLetters]),
  ];
  const counts = router.routed.samples();
  await router.close();
  return { flow, policy, fast, heavy, dead, counts, went: [fast.length, heavy.length, dead.length] };
}

const healthOf = (model: string, delay: number): Health => ({ ...quietHealth, model, delay });

describe('a router whose workers cannot keep up', () => {
  it('lets requests wait where the flow declares nothing', async () => {
    expect((await routedUnder([], [5_000, 5_000])).went).toEqual([0, 10, 0]);
    expect((await routedUnder([], [0, 5_000], true)).went).toEqual([0, 10, 0]);
  });

  it('sheds those that no tier can answer in time as declared drops, counts them, and says what it knew', async () => {
    const { went, dead, counts, flow, policy } = await routedUnder(['shed'], [5_000, 7_000]);
    expect(went).toEqual([0, 0, 10]);
    expect(counts).toEqual([{ labels: { tier: '', decision: '', code: 'SLUICE_OVERLOADED' }, value: 10 }]);
    expect(readDeadLetter(dead[0]!)).toMatchObject({
      ...{ code: 'SLUICE_OVERLOADED', class: 'drop', stage: 'router' },
      message: 'the heavy tier would have answered in 7002 ms, the deadline was in 1000 ms',
    });
    const tag = decodeTag(headerBytes(dead[3]!.headers, header.tag)!);
    const { tiers } = tag.slip;
    const again = route({
      ...{ id: tag.id, flow, policy, deadlineAt: tag.deadlineAt, budget: tag.slip.budget, now: tag.routedAt },
      ...{ costs: tiers.map(({ cost }) => cost), queuePrices: tiers.map(({ queuePrice }) => queuePrice) },
      ...{ waits: tiers.map(({ wait }) => wait), bars: tiers.map(({ bar }) => bar) },
      ...{ signature: tag.signature, signatureWidth: 0 },
    });
    expect(again).toMatchObject({ shed: true, step: { reason: tag.trail[0]!.reason, score: tag.trail[0]!.score } });
  });

  it('lets the lightest tier that can make it answer, at the safe end too, and sheds the rest where both are declared', async () => {
    expect((await routedUnder(['lighten'], [900, 5_000], true)).went).toEqual([10, 0, 0]);
    expect((await routedUnder(['lighten', 'shed'], [5_000, 5_000], true)).went).toEqual([0, 0, 10]);
    expect((await routedUnder(['shed'], [900, 5_000], true)).went).toEqual([0, 0, 10]);
    const { fast } = await routedUnder(['lighten'], [900, 5_000], true);
    expect(decodeTag(headerBytes(fast[0]!.headers, header.tag)!).trail[0]!.reason).toBe('lightened');
  });
});
