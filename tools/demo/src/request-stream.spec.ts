import type { Flow } from '@sluice/domain';
import type { Dataset, Samples } from './dataset.ts';
import { requestStream, type StreamOptions } from './request-stream.ts';

const flow = { flow: 'images', labels: ['a', 'b', 'c'] } as Flow;

function samples(count: number): Samples {
  return { count, value: (index) => Buffer.from([index]), key: () => Buffer.from('k'), label: (index) => index % 3 };
}

const dataset = (ordered: boolean): Dataset => ({ training: samples(1), stream: samples(60), ordered, name: 'toy', origin: 'toy' });
const items = (options: StreamOptions, ordered = false) => [...requestStream(flow, dataset(ordered), options).items()];

describe('requestStream', () => {
  it('gives the same items for the same seed, others for another', () => {
    expect(items({ seed: 1, events: 50 })).toEqual(items({ seed: 1, events: 50 }));
    expect(items({ seed: 1, events: 50 }).map((item) => item.sample)).not.toEqual(
      items({ seed: 2, events: 50 }).map((item) => item.sample),
    );
  });

  it('repeats the data under new ids, and says so', () => {
    const stream = requestStream(flow, dataset(true), { seed: 1, events: 150 });
    const all = [...stream.items()];
    expect(new Set(all.map((item) => item.id)).size).toBe(150);
    expect(all.map((item) => item.sample)).toEqual(Array.from({ length: 150 }, (_, i) => i % 60));
    expect(stream.note).toContain('repeated 2.50 times');
    expect(requestStream(flow, dataset(true), { seed: 1, events: 60 }).note).toContain('none repeated');
  });

  it('shows every sample once a pass when it shuffles', () => {
    expect(new Set(items({ seed: 1, events: 60 }).map((item) => item.sample)).size).toBe(60);
  });

  it('sorts the whole stream into label blocks when asked', () => {
    const truths = items({ seed: 1, events: 90, blocks: true }).map((item) => item.truth);
    expect(truths).toEqual([...truths].sort());
    expect(new Set(truths).size).toBe(3);
  });

  it('lets about 70 % of the truths come back, a second late on average', () => {
    const known = items({ seed: 1, events: 6000 }).flatMap((item) => item.outcomeDelayMs ?? []);
    expect(known.length / 6000).toBeCloseTo(0.7, 1.5);
    expect(known.reduce((sum, delay) => sum + delay, 0) / known.length / 1000).toBeCloseTo(1, 1);
  });

  it('has no end when no number of events is given', () => {
    const endless = requestStream(flow, dataset(false), { seed: 1 }).items();
    for (let i = 0; i < 1000; i++) expect(endless.next().done).toBe(false);
  });
});
