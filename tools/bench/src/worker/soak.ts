import { openServer, type ModelServer } from '@sluice/serving';
import type { TestModel } from '@sluice/serving/testing';

/** Memory of a process that infers without a pause, and of those it serves from. */
export interface SoakFigures {
  readonly minutes: number;
  readonly events: number;
  readonly executor: string;
  /** Resident megabytes after a tenth of the time, in the middle, and at the end. */
  readonly rss: readonly [early: number, middle: number, end: number];
  /** Megabytes a minute, least squares over the second half. */
  readonly slope: number;
  /** Tensors held after the first batch and at the end. */
  readonly tensors: readonly [first: number, end: number];
}

/** Runs full batches for so many minutes and looks at the memory sixty times. */
export async function soak(model: TestModel, batch: number, minutes: number): Promise<SoakFigures> {
  const server = await openServer({ dir: model.dir, schemas: [model.schema], maxBatch: batch });
  const values = Array.from({ length: batch }, (_, i) => model.value(model.row(i)));
  await server.infer(values);
  const tensors = async (): Promise<number> => (await server.stats()).reduce((sum, each) => sum + each.tensors, 0);
  const first = await tensors();
  const start = performance.now();
  const samples: { minute: number; rss: number }[] = [];
  let events = 0;
  for (let minute = 0; minute < minutes; minute = (performance.now() - start) / 60_000) {
    await Promise.all(Array.from({ length: 4 }, () => server.infer(values)));
    events += 4 * batch;
    if (minute >= (samples.length * minutes) / 60) samples.push({ minute, rss: await residentMegabytes(server) });
  }
  const end = await tensors();
  await server.close();
  const at = (share: number): number => Math.round(samples[Math.floor((samples.length - 1) * share)]!.rss);
  return {
    ...{ minutes, events, executor: server.backend.name, rss: [at(0.1), at(0.5), at(1)], tensors: [first, end] },
    slope: slopeOf(samples.slice(samples.length >> 1)),
  };
}

async function residentMegabytes(server: ModelServer): Promise<number> {
  const elsewhere = (await server.stats()).reduce((sum, { processBytes = 0 }) => sum + processBytes, 0);
  return (process.memoryUsage.rss() + elsewhere) / 2 ** 20;
}

function slopeOf(samples: readonly { readonly minute: number; readonly rss: number }[]): number {
  const mean = (read: (sample: { minute: number; rss: number }) => number) =>
    samples.reduce((sum, sample) => sum + read(sample), 0) / samples.length;
  const [minute, rss] = [mean((sample) => sample.minute), mean((sample) => sample.rss)];
  const spread = mean((sample) => (sample.minute - minute) ** 2);
  return spread === 0 ? 0 : mean((sample) => (sample.minute - minute) * (sample.rss - rss)) / spread;
}
