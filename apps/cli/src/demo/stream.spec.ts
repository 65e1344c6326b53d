import { decodeOutcome, topicsOf, topicSpecs } from '@sluice/contracts';
import { demoFlowFile } from '@sluice/demo';
import { loadFlow } from '@sluice/service';
import { memoryBus } from '@sluice/streaming';
import { DemoStream, type DemoRequest } from './stream.ts';

const topics = topicsOf('mail');

async function publish(requests: readonly DemoRequest[]) {
  const { flow } = await loadFlow(demoFlowFile('mail'));
  const bus = memoryBus();
  await bus.ensureTopics(topicSpecs(flow));
  const publisher = await bus.openPublisher();
  let now = 1_000_000;
  const stream = new DemoStream({
    ...{ flow, requests, publisher, rate: Infinity, maxWaiting: 1000, answered: () => 0, signal: new AbortController().signal },
    clock: { now: () => (now += 1) },
  });
  await stream.run();
  return { stream, requests: await bus.readAll([topics.requests]), outcomes: await bus.readAll([topics.outcomes]) };
}

const request = (n: number, more: Partial<DemoRequest> = {}): DemoRequest => ({
  ...{ id: `mail-${n}`, key: Buffer.from(`k${n % 3}`), value: Buffer.from([n]), headers: {}, outcomeDelayMs: 5, truth: 'ham' },
  ...more,
});

describe('the demo stream', () => {
  it('publishes every request with its id, and an outcome for each whose truth comes back', async () => {
    const { stream, requests, outcomes } = await publish([request(1), request(2, { outcomeDelayMs: undefined }), request(3)]);
    expect(requests.map(({ headers }) => String(headers['ce_id'])).sort()).toEqual(['mail-1', 'mail-2', 'mail-3']);
    expect(outcomes.map(({ value }) => decodeOutcome(value!).id).sort()).toEqual(['mail-1', 'mail-3']);
    expect([stream.published, stream.outcomesPublished]).toEqual([3, 2]);
  });

  it('measures the delay of feedback in requests published meanwhile', async () => {
    const { stream } = await publish(Array.from({ length: 10 }, (_, n) => request(n)));
    expect(stream.delays).toHaveLength(10);
    expect(Math.max(...stream.delays)).toBe(10);
  });

  it('spreads requests without a key over the partitions', async () => {
    const { requests } = await publish(Array.from({ length: 8 }, (_, n) => request(n, { key: null })));
    expect(requests.filter(({ partition }) => partition === 0)).toHaveLength(4);
  });
});
