import type { InRecord, OutRecord, Processor } from '@sluice/streaming';
import { isClean, startKit, type KitOptions } from '../src/index.ts';

/** The smallest system there is: answers every request in one hop, refuses those without a value. */
const echoApps: NonNullable<KitOptions['apps']> = async (bus, { flow, topics }) => {
  const answer = (from: InRecord): OutRecord => {
    const stamp = { 'sluice-origin': `${from.topic}/${from.partition}/${from.offset}` };
    if (from.value !== null) return { topic: topics.predictions, key: from.key, value: from.value, headers: stamp, from };
    return { topic: topics.deadLetters, key: from.key, value: null, headers: { ...stamp, 'sluice-class': 'reject' }, from };
  };
  const processor: Processor = { process: (slice) => slice.map(answer) };
  const pipe = { group: flow, topics: [topics.requests], deadLetters: topics.deadLetters, delivery: 'exactly-once' } as const;
  return [await bus.openPipe({ ...pipe, maxSlice: 50, lingerMs: 2, processor: () => processor })];
};

const requests = (count: number, poison: number) =>
  Array.from({ length: count }, (_, at) => ({ key: `key ${at % 7}`, value: at < poison ? null : Buffer.from(`${at}`) }));

/** The same claims on every kind of broker. */
export function kitSuite(broker: NonNullable<KitOptions['broker']>, judgedBy: 'java' | 'bus'): void {
  it('carries requests to answers and finds nothing wrong', async () => {
    await using kit = await startKit({ flow: 'echo', broker, apps: echoApps });
    await kit.publish(requests(200, 20));
    expect(await kit.predictions(180)).toHaveLength(180);
    expect(await kit.deadLetters(20)).toHaveLength(20);
    const verdict = await kit.judge();
    expect(verdict).toMatchObject({ by: judgedBy, requests: 200, predictions: 180, deadLetters: 20, drops: 0, faults: [] });
    expect(isClean(verdict)).toBe(true);
  });

  it('finds what a system lost', async () => {
    await using kit = await startKit({ flow: 'mute', broker });
    await kit.publish(requests(3, 0));
    expect(await kit.judge()).toMatchObject({ by: judgedBy, requests: 3, lost: 3 });
  });
}
