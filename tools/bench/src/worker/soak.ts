import type { ModelServer } from '@sluice/serving';
import type { TestModel } from '@sluice/serving/testing';

/** Memory of a process that infers without a pause, and of those it serves from. */
export interface SoakFigures {
  readonly events: number;
  readonly executor: string;
  /** Resident megabytes after a tenth of the time, in the middle, and at the end. */
  readonly rss: readonly [early: number, middle: number, end: number];
  /** The most of each half: what is collected only now and then rises and falls. */
  readonly most: readonly [first: number, second: number];
  /** Tensors held after the first batch and at the end. */
  readonly tensors: readonly [first: number, end: number];
}

/** Runs full batches for so many minutes and looks at the memory sixty times. */
export async function soak(
  server: ModelServer,
  model: TestModel,
  { batch, minutes }: { batch: number; minutes: number },
): Promise<SoakFigures> {
  const values = Array.from({ length: batch }, (_, i) => model.value(model.row(i)));
  await server.infer(values);
  const tensors = async (): Promise<number> => (await server.stats()).reduce((sum, each) => sum + each.tensors, 0);
  const first = await tensors();
  const start = performance.now();
  const samples: number[] = [];
  let events = 0;
  for (let minute = 0; minute < minutes; minute = (performance.now() - start) / 60_000) {
    await Promise.all(Array.from({ length: 4 }, () => server.infer(values)));
    events += 4 * batch;
    if (minute >= (samples.length * minutes) / 60) samples.push(await residentMegabytes(server));
  }
  const end = await tensors();
  const at = (share: number): number => Math.round(samples[Math.floor((samples.length - 1) * share)]!);
  const half = samples.length >> 1;
  const most = [samples.slice(0, half), samples.slice(half)].map((each) => Math.round(Math.max(...each))) as [number, number];
  return { events, executor: server.backend.name, rss: [at(0.1), at(0.5), at(1)], most, tensors: [first, end] };
}

async function residentMegabytes(server: ModelServer): Promise<number> {
  const elsewhere = (await server.stats()).reduce((sum, { processBytes = 0 }) => sum + processBytes, 0);
  return (process.memoryUsage.rss() + elsewhere) / 2 ** 20;
}
