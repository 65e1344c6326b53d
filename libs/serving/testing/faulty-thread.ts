/** An inference thread whose model misbehaves on rows that begin with one of the `poison` numbers. */
import { ExecutorGone, type Executor } from '../src/executor.ts';
import { serveThread } from '../src/serve-thread.ts';
import { poison } from './poison.ts';

function faulty(executor: Executor): Executor {
  return {
    name: executor.name,
    bytes: executor.bytes,
    dispose: () => executor.dispose(),
    run(rows, n) {
      const firsts = Array.from({ length: n }, (_, row) => rows[row * 30]!);
      while (firsts.includes(poison.hang));
      const hoard: number[][] = [];
      while (firsts.includes(poison.memory)) hoard.push(new Array<number>(100_000).fill(hoard.length));
      if (firsts.includes(poison.exit)) process.exit(3);
      if (firsts.includes(poison.gone)) throw new ExecutorGone('the device is lost');
      if (firsts.includes(poison.throw)) throw new Error('the model does not like this row');
      const scores = executor.run(rows, n);
      firsts.forEach((first, row) => first === poison.nan && scores.fill(Number.NaN, row * 2, row * 2 + 2));
      return firsts.includes(poison.short) ? scores.subarray(1) : scores;
    },
  };
}

void serveThread(faulty);
