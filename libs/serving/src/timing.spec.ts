import type { Executor } from './executor.ts';
import { timeExecutor } from './timing.ts';

/** An executor on a clock of its own: `millis` says what the run of that number takes for that many rows. */
function clocked(millis: (run: number, n: number) => number) {
  let time = 0;
  let runs = 0;
  const executor = { run: (_: Float32Array, n: number) => ((time += millis(runs++, n)), new Float32Array(0)) };
  return { executor: executor as unknown as Executor, now: () => time, spent: () => time };
}

const rows = new Float32Array(0);

describe('the timing of an executor', () => {
  it('is that of warm code', () => {
    const { executor, now } = clocked((run, n) => (run < 12 ? 9 : 0.3 + 0.4 * n));
    const timings = timeExecutor(executor, rows, { maxBatch: 32, budget: 200, now });
    expect(timings.map(({ n, micros }) => [n, Math.round(micros)])).toEqual([
      [1, 700],
      [8, 3500],
      [32, 13_100],
    ]);
  });

  it('rests on several runs, also where one takes all of its time', () => {
    const { executor, now } = clocked((run, n) => n + (run % 2 === 0 ? 40 : 0));
    const [first] = timeExecutor(executor, rows, { maxBatch: 8, budget: 8, now });
    expect(first).toEqual({ n: 1, micros: 1000 });
  });

  it('leaves out what takes too long, and gives warming up no more time than timing', () => {
    const { executor, now, spent } = clocked((_, n) => 10 * n);
    expect(timeExecutor(executor, rows, { maxBatch: 128, budget: 40, now }).map(({ n }) => n)).toEqual([1]);
    expect(spent()).toBeLessThanOrEqual(80);
  });
});
