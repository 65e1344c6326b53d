import { disagreement, planByTime, timedInTurn, type Timed } from './calibrate.ts';
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

it('what is held against each other is timed in turn, so that a busy neighbour meets both', () => {
  let clock = 0;
  let runs = 0;
  // Of sixty runs forty take thrice as long: whoever is timed alone may meet nothing else.
  const taking = (millis: number): Executor => ({
    name: 'idle',
    bytes: 0,
    run: () => {
      clock += millis * (runs++ % 60 < 40 ? 3 : 1);
      return new Float32Array(1);
    },
    dispose: () => undefined,
  });
  const before = (millis: number, sizes: readonly number[]): Timed => ({
    executor: taking(millis),
    timings: sizes.map((n) => ({ n, micros: 7 })),
  });
  const pair = [before(1, [1, 8, 32]), before(2, [1, 32])] as const;
  const [one, other] = timedInTurn(pair, new Float32Array(1), { budget: 600, now: () => clock });
  for (const [i, j] of [
    [0, 0],
    [2, 1],
  ] as const)
    expect(other.timings[j]!.micros / one.timings[i]!.micros).toBeCloseTo(2, 6);
  expect(one.timings[1]).toEqual({ n: 8, micros: 7 });
});

it('executors disagree where an output is more than 1e-5 apart, is no number, or where the label is another', () => {
  const scores = Float32Array.of(0.9, 0.1, 0.500001, 0.499999);
  const other = (at: number, value: number): Float32Array => scores.map((score, i) => (i === at ? value : score));
  expect(disagreement(scores, other(1, 0.100005), 2)).toBeUndefined();
  expect(disagreement(scores, other(1, 0.10002), 2)).toMatch(/^row 0: output 1 is 0\.10000.* against 0\.10001/);
  expect(disagreement(scores, other(2, Number.NaN), 2)).toMatch(/^row 1: output 0 /);
  expect(disagreement(scores, other(3, 0.500004), 2)).toBe('row 1: the label is 0 against 1');
});
