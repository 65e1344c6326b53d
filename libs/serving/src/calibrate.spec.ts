import { planByTime, type Timed } from './calibrate.ts';
import type { Executor } from './executor.ts';

const timed = (name: string, perRow: number, base: number): Timed => ({
  executor: { name } as Executor,
  timings: [1, 8, 32, 128].map((n) => ({ n, micros: base + perRow * n })),
});

it('plain loops run the batches for which they are no slower than the others, the way to a process and back included', () => {
  const plain = timed('plain', 10, 0);
  const planOf = (hop: number): unknown => planByTime(plain, { ...timed('frozen', 1, 90), name: 'frozen', hop }, 128).plan;
  expect(planOf(0)).toEqual({ tensor: 'frozen', plainUpTo: 10 });
  expect(planOf(180)).toEqual({ tensor: 'frozen', plainUpTo: 30 });
  expect(planOf(2000)).toEqual({ tensor: undefined, plainUpTo: 128 });
});
