import { compileExtractor, singleObjectHeader } from '@sluice/contracts';
import type { FeatureSpec } from '@sluice/domain';
import type { Tf } from './backend.ts';
import type { Samples } from './dataset.ts';

interface CostInput {
  /** The WASM backend: what a worker uses unless something faster loads. */
  readonly tf: Tf;
  readonly model: { predictOnBatch(x: ReturnType<Tf['tensor']>): unknown };
  readonly samples: Samples;
  readonly schema: object;
  readonly features: readonly FeatureSpec[];
  readonly shape: readonly number[];
}

const batch = 32;
const rounds = 40;

/**
 * Microseconds of CPU that one event costs at batch 32, from Avro bytes to probabilities: the median over 40 batches of real
 * requests spread over the stream. The figure is this machine's; only ratios between tiers carry over to another.
 */
export function costPerEvent(input: CostInput): number {
  const { samples, schema, features } = input;
  const extractor = compileExtractor(schema, features, { flags: false });
  const stride = Math.max(1, Math.floor(samples.count / (batch * rounds)));
  const times: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const first = ((round + rounds) % rounds) * batch * stride;
    const values = Array.from({ length: batch }, (_, i) => samples.value((first + i * stride) % samples.count));
    const before = process.cpuUsage();
    const rows = new Float32Array(batch * extractor.width);
    values.forEach((value, i) => extractor.extract(value, singleObjectHeader, rows, i * extractor.width));
    predictBatch(input, rows);
    const { user, system } = process.cpuUsage(before);
    // The first rounds warm the caches and the compilers.
    if (round >= 0) times.push((user + system) / batch);
  }
  times.sort((a, b) => a - b);
  return Math.max(0.01, Number(times[Math.floor(rounds / 2)]!.toFixed(2)));
}

function predictBatch({ tf, model, shape }: CostInput, rows: Float32Array): void {
  const x = tf.tensor(rows, [batch, ...shape]);
  const y = model.predictOnBatch(x) as ReturnType<Tf['tensor']>;
  y.dataSync();
  tf.dispose([x, y]);
}
