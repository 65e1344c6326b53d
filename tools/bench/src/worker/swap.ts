import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { CalibrationStore, ModelPool, type ServedModel } from '@sluice/serving';
import { copyModel, type TestModel } from '@sluice/serving/testing';

/** Latency of calls while versions are swapped, against the same load left alone. Milliseconds. */
export interface SwapFigures {
  /** Whether the timings of the versions that came were kept from before, or taken while calls were served. */
  readonly calibration: 'timed' | 'kept';
  readonly swaps: number;
  readonly calls: number;
  /** Calls that were not answered whole, each row once, by one version. */
  readonly faults: number;
  readonly quietP99: number;
  readonly swapP99: number;
  /** What a batch of that size keeps the thread busy, as learned. */
  readonly oneBatch: number;
  /** From asking for a version to the first call on it: loading, checks, warming. Median. */
  readonly ready: number;
}

const swaps = 6;
const quietMs = 400;
/** Calls that wait at any time: one in the thread, one behind it. */
const callers = 2;

interface Phase {
  readonly quiet: number[];
  readonly swapping: number[];
}

/** Swaps between two versions of one model under steady load, first with all timings to be taken, then with all of them kept. */
export async function measureSwaps(model: TestModel, batch: number, root: string): Promise<SwapFigures[]> {
  const other = join(root, 'other-version');
  await copyModel(model.dir, other, { version: '2.0.0' });
  const folder = await mkdtemp(join(root, 'calibrations-'));
  const figures: SwapFigures[] = [];
  for (const calibration of ['timed', 'kept'] as const) {
    const pool = new ModelPool();
    const calibrations = new CalibrationStore({ folder, anew: calibration === 'timed' });
    const served = await pool.add({ dir: model.dir, schemas: [model.schema], maxBatch: batch, calibrations });
    figures.push({ calibration, ...(await underLoad({ served, dirs: [other, model.dir], model, batch })) });
    await pool.close();
  }
  return figures;
}

interface Load {
  readonly served: ServedModel;
  readonly dirs: readonly string[];
  readonly model: TestModel;
  readonly batch: number;
}

async function underLoad({ served, dirs, model, batch }: Load): Promise<Omit<SwapFigures, 'calibration'>> {
  const values = Array.from({ length: batch }, (_, i) => model.value(model.row(i)));
  const latencies: Phase = { quiet: [], swapping: [] };
  let phase: keyof Phase | 'warm-up' | 'over' = 'warm-up';
  let faults = 0;
  const caller = async (): Promise<void> => {
    while (phase !== 'over') {
      const during = phase;
      const start = performance.now();
      const answers = await served.infer(values);
      const took = performance.now() - start;
      const versions = new Set(answers.map((answer) => ('version' in answer ? answer.version : answer.code)));
      if (answers.length !== batch || versions.size !== 1 || ![...versions][0]!.endsWith('.0.0')) faults += 1;
      if (during !== 'warm-up') latencies[during].push(took);
    }
  };
  const running = Array.from({ length: callers }, caller);
  await new Promise((resolve) => setTimeout(resolve, 3 * quietMs));
  const ready: number[] = [];
  for (let swap = 0; swap < swaps; swap++) {
    phase = 'quiet';
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    phase = 'swapping';
    const start = performance.now();
    await served.swap(dirs[swap % dirs.length]!);
    ready.push(performance.now() - start);
  }
  phase = 'over';
  await Promise.all(running);
  const { base, perRow } = served.fit();
  return {
    ...{ swaps, faults, calls: latencies.quiet.length + latencies.swapping.length },
    ...{ quietP99: p99(latencies.quiet), swapP99: p99(latencies.swapping) },
    ...{ oneBatch: (base + perRow * batch) / 1000, ready: ready.sort((a, b) => a - b)[ready.length >> 1]! },
  };
}

function p99(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * 0.99)] ?? 0;
}
