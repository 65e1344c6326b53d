/** An inference thread that misbehaves on every row of a version whose manifest says `training: { fault }`, a name of `poison`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveThread, type Wrap } from '../src/serve-thread.ts';

const faulty: Wrap = (executor, { dir }) => ({
  name: executor.name,
  bytes: executor.bytes,
  dispose: () => executor.dispose(),
  run(rows, n) {
    const { training } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as { training: Record<string, unknown> };
    const fault = training['fault'];
    while (fault === 'hang');
    if (fault === 'exit') process.exit(3);
    if (fault === 'throw') throw new Error('this version likes no row');
    const scores = executor.run(rows, n);
    if (fault === 'nan') scores.fill(Number.NaN);
    return fault === 'short' ? scores.subarray(1) : scores;
  },
});

void serveThread(faulty);
