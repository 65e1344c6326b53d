import { disagreement, planByTime, timedAgain, type Timed } from './calibrate.ts';
import type { Executor } from './executor.ts';

const timed = (name: string, perRow: number, base: number): Timed => ({
  executor: { name } as Executor,
  timings: [1, 8, 32, 128].map((n) => ({ n, micros: base + perRow * n })),
});

it('compiled code runs the batches for which it is no slower, and all of them where the others are slower by their way to a process and back', () => {
  const compiled = timed('compiled', 10, 0);
  const planOf = (hop: number, processors = 1): unknown =>
    planByTime(compiled, { ...timed('frozen', 1, 90), name: 'frozen', hop, processors }, 128).plan;
  expect(planOf(0)).toEqual({ tensor: 'frozen', compiledUpTo: 10 });
  expect(planOf(180)).toEqual({ tensor: 'frozen', compiledUpTo: 10 });
  expect(planOf(2000)).toEqual({ tensor: undefined, compiledUpTo: 128 });
  // Two processors for 105 us are as much as one for 148.
  expect(planOf(0, 2)).toEqual({ tensor: 'frozen', compiledUpTo: 14 });
});

it('a time is the lesser of two, bucket by bucket', () => {
  const executor = { name: 'idle', bytes: 0, run: () => new Float32Array(1), dispose: () => undefined };
  const before = {
    executor,
    timings: [
      { n: 1, micros: 0 },
      { n: 2, micros: 1e9 },
      { n: 3, micros: 5 },
    ],
  };
  const [first, second, third] = timedAgain(before, new Float32Array(2), { maxBatch: 2, budget: 20 }).timings;
  expect([first, third]).toEqual([
    { n: 1, micros: 0 },
    { n: 3, micros: 5 },
  ]);
  expect(second!.micros).toBeLessThan(1e9);
});

it('executors disagree where an output is more than 1e-5 apart, is no number, or where the label is another', () => {
  const scores = Float32Array.of(0.9, 0.1, 0.500001, 0.499999);
  const other = (at: number, value: number): Float32Array => scores.map((score, i) => (i === at ? value : score));
  expect(disagreement(scores, other(1, 0.100005), 2)).toBeUndefined();
  expect(disagreement(scores, other(1, 0.10002), 2)).toMatch(/^row 0: output 1 is 0\.10000.* against 0\.10001/);
  expect(disagreement(scores, other(2, Number.NaN), 2)).toMatch(/^row 1: output 0 /);
  expect(disagreement(scores, other(3, 0.500004), 2)).toBe('row 1: the label is 0 against 1');
});
