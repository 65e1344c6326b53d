import { parentPort, workerData } from 'node:worker_threads';
import { alter } from './alter.ts';
import type { SeedResult } from './run-seed.ts';

/** Work of one thread: the seeds from `first` below `end` in steps of `step`. */
export interface Share {
  readonly first: number;
  readonly end: number;
  readonly step: number;
  readonly mutant: string | undefined;
  /** Whether to send what happens, line by line. */
  readonly isLoud: boolean;
}

export type FromWorker = { readonly line: string } | { readonly result: SeedResult };

const { first, end, step, mutant, isLoud } = workerData as Share;
alter(mutant);
// Only now: what is imported first would be imported unaltered.
const { runSeed } = await import('./run-seed.ts');
for (let seed = first; seed < end; seed += step) {
  const onEvent = isLoud ? (line: string) => parentPort!.postMessage({ line } satisfies FromWorker) : undefined;
  parentPort!.postMessage({ result: await runSeed(seed, onEvent ? { onEvent } : {}) } satisfies FromWorker);
}
