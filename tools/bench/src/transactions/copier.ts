import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const child = join(import.meta.dirname, '../../../../libs/streaming/testing/timed-child.ts');

/** Version of the transaction protocol, with one producer for each partition; or version 2 with one producer for all partitions of the process. */
export type Way = 'version-1' | 'version-2' | 'one-per-process';

/** What a copier did since it was asked last. */
export interface Told {
  readonly records: number;
  readonly transactions: number;
  /** Milliseconds from when a slice was taken to the end of its transaction. */
  readonly commits: readonly number[];
  readonly cpuMs: number;
}

export interface Copier {
  ask(): Promise<Told>;
  stop(): Promise<void>;
}

/** Starts our pipe as a copier in a process of its own. Resolves when it owns its partitions. */
export async function startCopier(args: {
  brokers: string;
  run: string;
  way: Way;
  slice: number;
  /** Milliseconds. */
  linger: number;
}): Promise<Copier> {
  const { brokers, run, way, slice, linger } = args;
  const copier = spawn(process.execPath, [child, brokers, run, way, String(slice), String(linger)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => copier.once('exit', () => resolve()));
  const lines = createInterface({ input: copier.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the copier ended');
    return value;
  };
  if ((await next()) !== 'running') throw new Error('the copier said something else than running');
  const ask = async () => {
    copier.stdin.write('\n');
    return JSON.parse(await next()) as Told;
  };
  const stop = async () => {
    copier.stdin.end();
    await gone;
  };
  return { ask, stop };
}
