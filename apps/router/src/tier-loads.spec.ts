import { encodeHealth, healthTopic, topicSpecs } from '@sluice/contracts';
import { ManualClock, parseFlow, type Health } from '@sluice/domain';
import { memoryBus } from '@sluice/streaming';
import { quietHealth } from './testing/health.ts';
import { TierLoads } from './tier-loads.ts';

const flow = parseFlow({
  flow: 'mail',
  description: 'A flow for tests.',
  request: { schemas: ['mail.avsc'] },
  labels: ['ham', 'spam'],
  signature: [{ field: 'links', kind: 'number', min: 0, max: 10 }],
  tiers: ['fast', 'heavy'].map((name) => ({ name, model: `mail-${name}` })),
  target: {},
});

async function loads() {
  const clock = new ManualClock(1_000_000);
  const bus = memoryBus();
  await bus.ensureTopics(topicSpecs(flow));
  const publisher = await bus.openPublisher();
  const say = (health: Partial<Health>) =>
    publisher.publish([
      {
        topic: healthTopic,
        key: Buffer.from(`mail/${health.model ?? 'mail-fast'}/one`),
        value: encodeHealth({ ...quietHealth, ...health }),
      },
    ]);
  return { clock, say, tiers: await TierLoads.open(bus, flow, clock) };
}

describe('what workers say of themselves', () => {
  it('closes a tier while its worker keeps away from a failing model, and opens it when the model may be tried again', async () => {
    const { say, tiers } = await loads();
    await say({ breakerOpen: true });
    await say({ breakerOpen: true, model: 'mail-heavy' });
    expect(tiers.state().queuePrices).toEqual([Infinity, 0]);
    await say({});
    expect(tiers.state().queuePrices).toEqual([0, 0]);
  });

  it('closes a tier whose workers have gone silent, but never the heaviest', async () => {
    const { say, tiers, clock } = await loads();
    await say({});
    await say({ model: 'mail-heavy' });
    clock.advance(10_001);
    expect(tiers.state().queuePrices).toEqual([Infinity, 0]);
  });
});
