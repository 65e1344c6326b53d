import fc from 'fast-check';
import { answerTime, queuePrice, type WorkerLoad } from './queue-price.ts';

const flow = { heavy: false, leaseMs: 10_000, deadlineMs: 30_000 };
const load = (more: Partial<WorkerLoad> = {}): WorkerLoad => ({
  queued: 0,
  base: 100,
  perRow: 10,
  age: 0,
  breakerOpen: false,
  delay: 0,
  ...more,
});

const loads = fc.array(
  fc.record({
    queued: fc.nat(10_000),
    base: fc.double({ min: 0, max: 1e5, noNaN: true }),
    perRow: fc.double({ min: 0, max: 1e4, noNaN: true }),
    age: fc.nat(9_999),
    breakerOpen: fc.constant(false),
    delay: fc.nat(10_000),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('the price of waiting for a tier', () => {
  it('is the share of its time that a request would wait', () => {
    expect(queuePrice({ ...flow, workers: [load({ queued: 290 })] })).toBeCloseTo(3 / 30_000, 12);
  });

  it('is nothing where nobody waits, and before any worker spoke', () => {
    expect(queuePrice({ ...flow, workers: [load(), load()] })).toBe(0);
    expect(queuePrice({ ...flow, workers: [] })).toBe(0);
  });

  it('closes a tier whose workers have all gone silent, unless it is the reference', () => {
    const workers = [load({ age: 10_001 }), load({ age: 60_000, queued: 5 })];
    expect(queuePrice({ ...flow, workers })).toBe(Infinity);
    expect(queuePrice({ ...flow, workers, heavy: true })).toBe(0);
  });

  it('closes a tier whose workers all keep away from their model, and asks the others where some do not', () => {
    const open = load({ breakerOpen: true, queued: 1e6 });
    expect(queuePrice({ ...flow, workers: [open, open] })).toBe(Infinity);
    expect(queuePrice({ ...flow, workers: [open, load({ queued: 290 })] })).toBeCloseTo(3 / 30_000, 12);
    expect(queuePrice({ ...flow, workers: [open], heavy: true })).toBe(0);
  });

  it('does not mind a silent worker beside one that speaks', () => {
    expect(queuePrice({ ...flow, workers: [load({ age: 60_000, queued: 1e6 }), load({ queued: 290 })] })).toBeCloseTo(3 / 30_000, 12);
  });

  it('never falls when a queue grows', () => {
    fc.assert(
      fc.property(loads, fc.nat(1000), (workers, more) => {
        const longer = workers.map((worker, i) => (i === 0 ? { ...worker, queued: worker.queued + more } : worker));
        expect(queuePrice({ ...flow, workers: longer })).toBeGreaterThanOrEqual(queuePrice({ ...flow, workers }));
      }),
    );
  });
});

describe('the time until a tier answers', () => {
  it('is that of its queue with one request more, in whole milliseconds', () => {
    expect(answerTime([load({ base: 1000, perRow: 10, queued: 99 })], 10_000)).toBe(2);
    expect(answerTime([load(), load({ queued: 389 })], 10_000)).toBe(3);
  });

  it('is never less than what waits on the topic takes', () => {
    expect(answerTime([load({ base: 1000, perRow: 10, queued: 99, delay: 700 })], 10_000)).toBe(702);
    expect(answerTime([load({ delay: 700 }), load({ delay: 100 })], 10_000)).toBe(401);
  });

  it('is 0, which nobody takes for a time, when no worker is alive to say', () => {
    expect(answerTime([], 10_000)).toBe(0);
    expect(answerTime([load({ age: 10_001 })], 10_000)).toBe(0);
  });
});
