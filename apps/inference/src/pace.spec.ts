import fc from 'fast-check';
import { Pace } from './pace.ts';

describe('the pace of a worker', () => {
  it('is that of its busy time: a worker that rests most of the time is not slow', () => {
    const pace = new Pace();
    for (let second = 0; second < 10; second++) {
      pace.began(1_000 * second);
      pace.ended(10, 1_000 * second + 20);
    }
    expect(pace.delayOf(500, 60_000)).toBe(1_000);
  });

  it('counts time once for slices that run side by side, and that of one that is still under way', () => {
    const pace = new Pace();
    pace.began(0);
    pace.began(50);
    pace.ended(60, 100);
    expect(pace.delayOf(100, 120)).toBe(200);
    pace.ended(40, 150);
    expect(pace.delayOf(70, 1_000)).toBe(90);
  });

  it('is not known before anything was done, and a slice that was given up only costs time', () => {
    const pace = new Pace();
    expect(pace.delayOf(100, 5)).toBe(0);
    pace.began(5);
    pace.ended(0, 15);
    expect(pace.delayOf(100, 20)).toBe(0);
    pace.began(20);
    pace.ended(10, 25);
    expect(pace.delayOf(100, 25)).toBeGreaterThan(50);
  });

  it('comes to what it has become within a few looks, and is never negative, whatever the clock does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(50), fc.integer({ min: -20, max: 200 })), { maxLength: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (past, ms) => {
          const pace = new Pace();
          let now = 0;
          for (const [rows, took] of past) {
            pace.began(now);
            pace.ended(rows, (now += took));
            expect(pace.delayOf(10, now)).toBeGreaterThanOrEqual(0);
          }
          for (let turn = 0; turn < 40; turn++) {
            pace.began(now);
            pace.ended(100, (now += 100 * ms));
            pace.delayOf(10, now);
          }
          expect(pace.delayOf(1_000, now)).toBe(1_000 * ms);
        },
      ),
    );
  });
});
