import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openServer, type BackendChoice, type InferValue, type ModelServer } from '@sluice/serving';
import { openRaw, type Kind, type TestModel } from '@sluice/serving/testing';

/** One cell: a model at a batch, raw and through the worker path on each executor. */
export interface Cell {
  readonly model: Kind;
  readonly batch: number;
  /** CPU microseconds an event of a warmed `predict` on WebAssembly over ready rows. */
  readonly raw: number;
  readonly paths: readonly Path[];
}

export interface Path {
  readonly backend: BackendChoice;
  /** What runs: for `auto` what calibration took. */
  readonly executor: string;
  /** CPU microseconds an event, of the whole process. */
  readonly cpu: number;
  /** Microseconds on the clock an event. */
  readonly wall: number;
  /** Delay of the calling thread's event loop, 99th percentile, milliseconds. */
  readonly delay: number;
}

const rounds = 3;
const warmRounds = 1;
const roundMs = 150;

interface Contender {
  readonly backend: BackendChoice;
  readonly server: ModelServer;
  readonly figures: { readonly cpu: number[]; readonly wall: number[]; readonly delay: number[] };
}

/** Measures raw and all contenders in turn, round by round, so that a busy neighbour meets all of them. */
export async function measureCell(model: TestModel, kind: Kind, batch: number): Promise<Cell> {
  const values = Array.from({ length: batch }, (_, i) => model.value(model.row(i)));
  const rows = Float32Array.from(values.flatMap((_, i) => [...model.row(i)]));
  const raw = await openRaw(model, 'wasm');
  const contenders = await openContenders(model, batch);
  const alone: number[] = [];
  for (let round = -warmRounds; round < rounds; round++) {
    const { cpu } = await timed(batch, () => Promise.resolve(raw.run(rows, batch)));
    if (round >= 0) alone.push(cpu);
    for (const contender of contenders) await oneRound(contender, values, round >= 0);
  }
  raw.dispose();
  await Promise.all(contenders.map(({ server }) => server.close()));
  const paths = contenders.map(({ backend, server, figures }) => ({
    ...{ backend, executor: server.backend.name },
    ...{ cpu: median(figures.cpu), wall: median(figures.wall), delay: median(figures.delay) },
  }));
  return { model: kind, batch, raw: median(alone), paths };
}

/** What does not load, or cannot run this model, takes no part. */
async function openContenders(model: TestModel, batch: number): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const backend of ['auto', 'plain', 'wasm', 'native', 'frozen'] as const) {
    const server = await openServer({ dir: model.dir, schemas: [model.schema], backend, maxBatch: batch, calibration: 120 }).catch(
      () => undefined,
    );
    if (server) contenders.push({ backend, server, figures: { cpu: [], wall: [], delay: [] } });
  }
  return contenders;
}

async function oneRound({ server, figures }: Contender, values: readonly InferValue[], counts: boolean): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // Four calls at a time: one in the thread, one behind it, two arriving, as from a pipe that reads ahead.
  const { cpu, wall } = await timed(4 * values.length, () => Promise.all(Array.from({ length: 4 }, () => server.infer(values))));
  delay.disable();
  if (!counts) return;
  figures.cpu.push(cpu);
  figures.wall.push(wall);
  figures.delay.push(delay.percentile(99) / 1e6);
}

async function timed(events: number, step: () => Promise<unknown>): Promise<{ cpu: number; wall: number }> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  let done = 0;
  do {
    await step();
    done += events;
  } while (performance.now() - start < roundMs);
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / done, wall: ((performance.now() - start) * 1000) / done };
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}
