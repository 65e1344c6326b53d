import { mailCorpus } from './mail-corpus.ts';

describe('mailCorpus', () => {
  const corpus = mailCorpus();
  const all = [...corpus.training, ...corpus.stream];

  it('holds every message once: 2,400 to train on, 3,646 to stream', () => {
    expect([corpus.training.length, corpus.stream.length]).toEqual([2400, 3646]);
    expect(new Set(all.map((message) => message.name)).size).toBe(6046);
    expect(all.filter((message) => message.label === 1)).toHaveLength(1896);
  });

  it('is in time order, and all of it lies within the years of collection', () => {
    const times = all.map((message) => message.event.receivedAt);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(Date.UTC(2001, 0));
    expect(times.at(-1)).toBeLessThan(Date.UTC(2004, 0));
  });

  it('drifts: spam is common in the training prefix and rare in the stream', () => {
    const share = (messages: typeof all): number => messages.filter((message) => message.label === 1).length / messages.length;
    expect(share([...corpus.training])).toBeGreaterThan(0.5);
    expect(share([...corpus.stream])).toBeLessThan(0.2);
  });
});
