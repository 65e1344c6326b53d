import { z } from 'zod';

/**
 * How one field of a typed Avro record becomes numbers. The same definition serves the router's signature and a model's
 * input, so training, routing and serving cannot drift apart.
 */
const path = z.string().min(1).describe('Field of the request record; dots enter nested records.');
const seed = z.int().min(0).max(0xffffffff).default(0).describe('Another seed spreads the values over the columns another way.');
const buckets = z.int().min(2).max(65536).describe('Number of columns the hashed values share.');

export const numberFeature = z
  .strictObject({
    field: path,
    kind: z.literal('number'),
    scale: z
      .enum(['none', 'range', 'log'])
      .default('range')
      .describe('none: as is; range: (x - min) / (max - min); log: sign(x) ln(1 + |x|), then range over the transformed bounds.'),
    min: z
      .number()
      .optional()
      .describe(
        'Lower end of the range; below it the out-of-range flag is set and the value clipped. In a signature, left out together with max, it is learned: the widest range that the manifests of the tiers catalogue.',
      ),
    max: z.number().optional().describe('Upper end of the range; above min.'),
  })
  .refine(({ min, max }) => (min === undefined) === (max === undefined), { path: ['max'], message: 'min and max go together' })
  .refine(({ min, max }) => min === undefined || max === undefined || max > min, { path: ['max'], message: 'must be above min' });

export const categoryFeature = z.strictObject({
  field: path,
  kind: z.literal('category'),
  buckets: buckets.default(32),
  seed,
  signed: z.boolean().default(false).describe('true: 1 or -1 by the hash, so that values which share a column can still differ.'),
});

export const textFeature = z.strictObject({
  field: path,
  kind: z.literal('text'),
  buckets: buckets.default(256),
  maxBytes: z.int().min(16).max(1_048_576).default(1024).describe('Only the first bytes of the text are read.'),
  seed,
  ngrams: z.int().min(1).max(2).default(1).describe('1: single words; 2: words and pairs of neighbours.'),
});

export const timeFeature = z.strictObject({
  field: path,
  kind: z.literal('time'),
  parts: z
    .array(z.enum(['hour', 'weekday']))
    .min(1)
    .describe('Each part becomes a sine and a cosine column (UTC).'),
});

export const bytesFeature = z
  .strictObject({
    field: path,
    kind: z.literal('bytes'),
    length: z.int().min(1).describe('Exact number of bytes; another length is refused.'),
    divide: z.number().positive().default(255).describe('Each byte is divided by this.'),
    pool: z.int().min(1).default(1).describe('Means of this many neighbouring bytes; 1 keeps every byte. Must divide length.'),
  })
  .refine(({ length, pool }) => length % pool === 0, { path: ['pool'], message: 'must divide length' });

export const imageFeature = z.strictObject({
  field: path,
  kind: z.literal('image'),
  width: z.int().min(1).max(2048),
  height: z.int().min(1).max(2048),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(3)
    .describe('3: red, green, blue; 1: their luma (ITU-R BT.601). Transparency is ignored.'),
  resize: z
    .enum(['bilinear', 'bilinear-corners', 'nearest'])
    .default('bilinear')
    .describe(
      'bilinear: centres of pixels, as TensorFlow 2 does; bilinear-corners: corner pixels keep their place (alignCorners); nearest.',
    ),
  divide: z.number().positive().default(255).describe('Each value is divided by this ...'),
  subtract: z.number().default(0).describe('... and this is taken from it: 127.5 and 1 give -1 to 1.'),
  maxPixels: z.int().min(1).default(16_777_216).describe('Larger images are refused before they are decoded.'),
});

export const featureSpec = z.discriminatedUnion('kind', [
  numberFeature,
  categoryFeature,
  textFeature,
  timeFeature,
  bytesFeature,
  imageFeature,
]);

export type FeatureSpec = z.infer<typeof featureSpec>;
