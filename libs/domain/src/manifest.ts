import { z } from 'zod';
import { modelCost } from './cost.ts';
import { SluiceError } from './errors.ts';
import { featureSpec } from './feature.ts';
import { faults, segment } from './flow.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

const envelope = z
  .strictObject({
    schemas: z
      .array(z.string().regex(/^[0-9a-f]{16}$/, 'a CRC-64-AVRO fingerprint in hex'))
      .default([])
      .describe('Fingerprints of the request schemas that the model was validated with; none: all of them.'),
    ranges: z
      .record(
        z.string(),
        z.strictObject({ min: z.number(), max: z.number() }).refine(({ min, max }) => max >= min, 'max is below min'),
      )
      .default({})
      .describe('Smallest and largest value of each numeric field in the data that the model was trained and validated with.'),
  })
  .describe('What the model was validated for: a request outside of it goes to another tier, the reference tier excepted.');

/** manifest.json of a model folder: what the model is, what it reads, what it costs and how good it was. */
export const manifestSchema = z.strictObject({
  model: segment,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'a version such as 1.0.0'),
  description: z.string().min(1),
  licence: z.string().min(1),
  format: z.enum(['layers', 'graph']).describe('TensorFlow.js format of model.json.'),
  files: z.record(z.string(), digest).describe('SHA-256 of model.json and of each weight file.'),
  labels: z.array(z.string()).min(2),
  input: z.strictObject({
    shape: z
      .array(z.int().min(1))
      .min(1)
      .describe('Shape of one row, without the batch dimension; its product is the width of the features.'),
    features: z.array(featureSpec).min(1),
  }),
  envelope: envelope.optional(),
  cost: modelCost,
  card: z.string().min(1).optional().describe('What the model is for, what it was judged on, and what it must not be used for.'),
  calibration: z
    .strictObject({
      temperature: z
        .number()
        .positive()
        .describe('Logits are divided by this; above 1 makes answers less sure. `sluice models add --sample` fits it.'),
      rows: z.int().min(1).describe('Labelled rows that it was fitted on.'),
      before: z.number().describe('Mean negative log-likelihood of the true labels without it, in nats.'),
      after: z.number().describe('The same with it.'),
    })
    .optional(),
  limits: z
    .strictObject({
      timeoutMs: z.int().min(1).default(10_000).describe('How long a batch may take before its thread is replaced.'),
      maxBatch: z.int().min(1).max(1024).default(128).describe('Most rows in one batch; rows of images take much memory.'),
      memoryMb: z.int().min(32).optional().describe('Largest JavaScript heap of an inference thread; one that needs more is replaced.'),
    })
    .optional()
    .describe('Limits within which the model is served.'),
  metrics: z.record(z.string(), z.number()).describe('What the training script measured, for example accuracy on its holdout.'),
  training: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe('Seed, data set, epochs: what makes the weights again.'),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Envelope = z.infer<typeof envelope>;

/**
 * Validates a parsed manifest.json.
 * @throws SluiceError SLUICE_MODEL_INVALID listing every fault with its path.
 */
export function parseManifest(document: unknown, origin: string): Manifest {
  const result = manifestSchema.safeParse(document);
  if (result.success) return result.data;
  throw new SluiceError('SLUICE_MODEL_INVALID', `${origin} has ${faults(result.error)}`);
}
