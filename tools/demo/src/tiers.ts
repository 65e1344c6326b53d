import { featureSpec, type FeatureSpec } from '@sluice/domain';
import { shiftAndFlip } from './augment.ts';
import type { Recipe } from './fit.ts';
import type { LayerSpec, NetSpec } from './net.ts';

/** All that makes one demo tier, apart from data and seed. */
export interface DemoTier {
  readonly model: string;
  readonly description: string;
  readonly features: readonly FeatureSpec[];
  readonly net: NetSpec;
  readonly recipe: Recipe;
}

const features = (...specs: object[]): FeatureSpec[] => specs.map((spec) => featureSpec.parse(spec));
const shares = [
  { field: 'htmlShare', kind: 'number', scale: 'none', min: 0, max: 1 },
  { field: 'upperShare', kind: 'number', scale: 'none', min: 0, max: 1 },
];
const counts = [
  { field: 'bodySize', kind: 'number', scale: 'log', min: 0, max: 300_000 },
  { field: 'linkCount', kind: 'number', scale: 'log', min: 0, max: 1_000 },
  { field: 'partCount', kind: 'number', scale: 'log', min: 0, max: 20 },
];
/** Ham counts twice: the training prefix holds more spam than any mailbox does, and a lost message hurts more than a let-in one. */
const mailWeights = [2, 1];
const output = (units: number): LayerSpec => ({ kind: 'dense', units, relu: false });
const linear = (width: number, labels: number): NetSpec => ({ shape: [width], layers: [output(labels)] });

/** Subject words and little else: what a gateway has before it opens the message. */
const mailFast: DemoTier = {
  model: 'mail-fast',
  description: 'Linear model over hashed subject words, sender domain and two shares.',
  features: features(
    { field: 'subject', kind: 'text', buckets: 128, maxBytes: 128 },
    { field: 'senderDomain', kind: 'category', buckets: 16 },
    ...shares,
  ),
  net: linear(128 + 16 + 2, 2),
  recipe: { epochs: 20, batch: 64, rate: 1e-2, decay: 0, smoothing: 0.1, weights: mailWeights },
};

/** The opening of the text: most mail says early what it wants. */
const mailStandard: DemoTier = {
  model: 'mail-standard',
  description: 'Linear model over hashed words of the subject and of the first 512 bytes of text, with five numbers.',
  features: features(
    { field: 'subject', kind: 'text', buckets: 256, maxBytes: 256 },
    { field: 'body', kind: 'text', buckets: 1024, maxBytes: 512 },
    ...counts,
    ...shares,
  ),
  net: linear(256 + 1024 + 5, 2),
  recipe: { epochs: 20, batch: 64, rate: 1e-2, decay: 0, smoothing: 0.1, weights: mailWeights },
};

/** The full text, in enough columns that words rarely share one. */
const mailHeavy: DemoTier = {
  model: 'mail-heavy',
  description: 'Linear model over hashed words of the subject and of the full text in 18,432 columns, with five numbers.',
  features: features(
    { field: 'subject', kind: 'text', buckets: 2048, maxBytes: 1024 },
    { field: 'body', kind: 'text', buckets: 16_384, maxBytes: 262_144 },
    ...counts,
    ...shares,
  ),
  net: linear(2048 + 16_384 + 5, 2),
  recipe: { epochs: 15, batch: 64, rate: 5e-3, decay: 0, smoothing: 0.05, weights: mailWeights },
};

const pixels = features({ field: 'pixels', kind: 'bytes', length: 784, divide: 255 });
const image = [28, 28, 1];

const imagesFast: DemoTier = {
  model: 'images-fast',
  description: 'Linear model over the 784 pixels.',
  features: pixels,
  net: linear(784, 10),
  recipe: { epochs: 6, batch: 128, rate: 2e-3, decay: 0, smoothing: 0 },
};

const imagesStandard: DemoTier = {
  model: 'images-standard',
  description: 'Two small convolutions (8 and 16 filters) and one dense layer.',
  features: pixels,
  net: {
    shape: image,
    layers: [
      { kind: 'conv', filters: 8 },
      { kind: 'pool' },
      { kind: 'conv', filters: 16 },
      { kind: 'pool' },
      { kind: 'flatten' },
      output(10),
    ],
  },
  recipe: { epochs: 8, batch: 128, rate: 3e-3, decay: 0, smoothing: 0 },
};

const imagesHeavy: DemoTier = {
  model: 'images-heavy',
  description: 'Three convolutions (24, 48, 96 filters) and two dense layers, trained on shifted and mirrored images.',
  features: pixels,
  net: {
    shape: image,
    layers: [
      ...[24, 48, 96].flatMap((filters): LayerSpec[] => [{ kind: 'conv', filters }, { kind: 'pool' }]),
      { kind: 'flatten' },
      { kind: 'dropout', rate: 0.3 },
      { kind: 'dense', units: 128, relu: true },
      { kind: 'dropout', rate: 0.3 },
      output(10),
    ],
  },
  recipe: { epochs: 24, batch: 128, rate: 2e-3, decay: 5e-3, smoothing: 0.05, augment: shiftAndFlip(28, 28, 2) },
};

/** The demo tiers of each flow, cheapest first, as the flow files name them. */
export const demoTiers = {
  mail: [mailFast, mailStandard, mailHeavy],
  images: [imagesFast, imagesStandard, imagesHeavy],
} as const satisfies Record<string, readonly DemoTier[]>;

export type DemoFlow = keyof typeof demoTiers;
