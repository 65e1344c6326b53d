import { join } from 'node:path';
import { singleObjectHeader } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import { loadModel } from '@sluice/serving';
import { openTrainingBackend, type Tf } from './backend.ts';
import type { Dataset } from './dataset.ts';

/** What every tier answers to every distinct request of a stream, found outside the serving path. */
export interface OfflineAnswers {
  /** Tier names, cheapest first. */
  readonly tiers: readonly string[];
  /** `answers[tier][sample]` is an index into the flow's labels; `sample` is a stream item's. -1 where the sample was not asked for. */
  readonly answers: readonly Int16Array[];
}

export interface OfflineOptions {
  readonly flow: Flow;
  readonly schemas: readonly object[];
  readonly dataset: Dataset;
  /** Folder with one model folder a tier. */
  readonly models: string;
  /** Samples that were streamed; each is answered once, however often it was repeated. */
  readonly samples: Iterable<number>;
}

const batch = 64;

/** Runs all tiers on WASM over the distinct samples: how always-heavy and always-fast would have done on the same events. */
export async function offlineAnswers(options: OfflineOptions): Promise<OfflineAnswers> {
  const { tf } = await openTrainingBackend('wasm');
  const samples = [...new Set(options.samples)].sort((a, b) => a - b);
  const answers: Int16Array[] = [];
  for (const tier of options.flow.tiers) answers.push(await answersOf(tf, tier.model, { ...options, samples }));
  return { tiers: options.flow.tiers.map((tier) => tier.name), answers };
}

async function answersOf(
  tf: Tf,
  name: string,
  { dataset, models, schemas, samples }: OfflineOptions & { samples: number[] },
): Promise<Int16Array> {
  const folder = await loadModel(join(models, name), schemas);
  const model = await tf.loadLayersModel(tf.io.fromMemory(folder.artifacts));
  const extractor = folder.extractors[0]!;
  const { width } = extractor;
  const out = new Int16Array(dataset.stream.count).fill(-1);
  for (let start = 0; start < samples.length; start += batch) {
    const chunk = samples.slice(start, start + batch);
    const rows = new Float32Array(chunk.length * width);
    chunk.forEach((sample, i) => extractor.extract(dataset.stream.value(sample), singleObjectHeader, rows, i * width));
    const labels = tf.tidy(() => {
      const y = model.predictOnBatch(tf.tensor(rows, [chunk.length, ...folder.manifest.input.shape])) as ReturnType<Tf['tensor']>;
      return tf.argMax(y, 1).dataSync();
    });
    chunk.forEach((sample, i) => (out[sample] = labels[i]!));
    // Lets timers and sockets of the caller live between batches.
    if (start % (16 * batch) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  model.dispose();
  return out;
}
