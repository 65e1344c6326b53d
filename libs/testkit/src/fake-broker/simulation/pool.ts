import { Worker } from 'node:worker_threads';
import { nothingPlayed, type SeedResult } from './run-seed.ts';
import type { FromWorker, Share } from './worker.ts';

/** Real milliseconds for one seed, which takes some 50: a program that spins stops its thread's clock too, so only another thread sees it. */
const mostPerSeed = 30_000;

export interface PoolOptions extends Omit<Share, 'step'> {
  readonly threads: number;
  readonly onResult: (result: SeedResult) => void;
  readonly onLine: (line: string) => void;
  /** Ends all threads. */
  readonly signal: AbortSignal;
}

/** Plays seeds on several threads; each has its own clock. Rejects when a thread dies. */
export async function playSeeds({ threads, first, ...options }: PoolOptions): Promise<void> {
  const play = async (index: number) => {
    let next: number | undefined = first + index;
    while (next !== undefined && !options.signal.aborted) next = await playShare({ ...options, first: next, step: threads });
  };
  await Promise.all(Array.from({ length: threads }, (_, index) => play(index)));
}

/** Resolves with the seed to go on with when a seed spun and its thread was ended. */
function playShare({ onResult, onLine, signal, ...share }: Share & Omit<PoolOptions, 'threads'>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: share satisfies Share });
    const end = () => void worker.terminate();
    let seed = share.first;
    let spun = false;
    const watch = setTimeout(() => {
      spun = true;
      end();
    }, mostPerSeed);
    worker.on('message', (message: FromWorker) => {
      if ('line' in message) return onLine(message.line);
      onResult(message.result);
      seed += share.step;
      watch.refresh();
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      clearTimeout(watch);
      signal.removeEventListener('abort', end);
      if (!spun) return resolve(undefined);
      onResult(spinning(seed));
      resolve(seed + share.step < share.end ? seed + share.step : undefined);
    });
    signal.addEventListener('abort', end, { once: true });
  });
}

function spinning(seed: number): SeedResult {
  const violations = [`spins: not over after ${mostPerSeed / 1_000} s of real time`];
  return { ...nothingPlayed, seed, violations };
}
