import '@tensorflow/tfjs-backend-cpu';
import type { Manifest } from '@sluice/domain';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import avro from 'avsc';
import { writeModelFolder } from '../src/write-model.ts';

export const kinds = ['logistic', 'mlp', 'cnn', 'deep', 'crayfish', 'overflow'] as const;
export type Kind = (typeof kinds)[number];

/** A model folder on disk and the means to make requests for it. */
export interface TestModel {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly schema: object;
  /** Input row number `seed`: numbers in [0, 1), multiples of 1/255 for the CNN, so that its bytes hold them exactly. */
  row(seed: number): Float32Array;
  /** The row as an Avro value behind ten bytes of framing. */
  value(row: Float32Array): { value: Buffer; schema: number; start: number };
}

export async function makeModel(kind: Kind, dir: string): Promise<TestModel> {
  tf.enableProdMode();
  await tf.setBackend('cpu');
  const image = isImage(kind);
  const manifest = await writeModelFolder({ dir, manifest: manifestOf(kind), artifacts: await artifactsOf(architectures[kind]()) });
  const schema = image ? imageSchema : numbersSchema;
  const type = avro.Type.forSchema(schema as avro.Schema);
  return {
    dir,
    manifest,
    schema,
    row: (seed) => Float32Array.from({ length: image ? 784 : 30 }, (_, i) => noise(seed * 1009 + i) / 255),
    value(row) {
      const record = image
        ? { pixels: Buffer.from(row.map((value) => Math.round(value * 255))) }
        : Object.fromEntries(Array.from(row, (value, i) => [`x${i}`, value]));
      return { value: Buffer.concat([Buffer.alloc(10), type.toBuffer(record)]), schema: 0, start: 10 };
    },
  };
}

const isImage = (kind: Kind): boolean => kind === 'cnn' || kind === 'deep' || kind === 'crayfish';

/** What `model.save` would write. */
export async function artifactsOf(model: layers.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler((saved) => {
      artifacts = saved;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  model.dispose();
  return artifacts;
}

export const numbersSchema = {
  type: 'record',
  name: 'Numbers',
  fields: Array.from({ length: 30 }, (_, i) => ({ name: `x${i}`, type: 'float' })),
};
export const imageSchema = { type: 'record', name: 'Image', fields: [{ name: 'pixels', type: 'bytes' }] };

/** Steele and Vigna's splitmix finisher cut to 32 bits: 0 to 254, the same for the same i everywhere. */
function noise(i: number): number {
  let x = Math.imul(i + 0x9e3779b9, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) % 255;
}

function manifestOf(kind: Kind): Omit<Manifest, 'files'> {
  const image = isImage(kind);
  return {
    model: kind,
    version: '1.0.0',
    description: 'An untrained model for tests.',
    licence: 'Apache-2.0',
    format: 'layers',
    labels: Array.from({ length: image ? 10 : 2 }, (_, i) => `label ${i}`),
    input: image
      ? {
          shape: kind === 'crayfish' ? [784] : [28, 28, 1],
          features: [{ field: 'pixels', kind: 'bytes', length: 784, divide: 255, pool: 1 }],
        }
      : {
          shape: [30],
          features: Array.from({ length: 30 }, (_, i) => ({
            field: `x${i}`,
            kind: 'number' as const,
            scale: 'none' as const,
            min: -3e38,
            max: 3e38,
          })),
        },
    cost: { perEvent: 1, origin: 'declared' },
    metrics: {},
    training: { seed: 1 },
  };
}

const dense = (units: number, activation: 'relu' | 'softmax', seed: number, inputShape?: number[]): layers.layers.Layer =>
  layers.layers.dense({
    name: `dense${seed}`,
    units,
    activation,
    kernelInitializer: layers.initializers.glorotUniform({ seed }),
    ...(inputShape ? { inputShape } : {}),
  });
const conv = (filters: number, seed: number, inputShape?: number[]): layers.layers.Layer =>
  layers.layers.conv2d({
    name: `conv${seed}`,
    filters,
    kernelSize: 3,
    activation: 'relu',
    kernelInitializer: layers.initializers.glorotUniform({ seed }),
    ...(inputShape ? { inputShape } : {}),
  });
const pool = (name: string): layers.layers.Layer => layers.layers.maxPooling2d({ name, poolSize: 2 });

/** Layers are named, since the names that TensorFlow.js makes up count on and would change the digest of the next model. */
const architectures: Record<Kind, () => layers.Sequential> = {
  logistic: () => layers.sequential({ name: 'model', layers: [dense(2, 'softmax', 1, [30])] }),
  mlp: () =>
    layers.sequential({
      name: 'model',
      layers: [
        dense(64, 'relu', 1, [30]),
        layers.layers.dropout({ name: 'dropout', rate: 0.5 }),
        dense(32, 'relu', 2),
        dense(2, 'softmax', 3),
      ],
    }),
  cnn: () =>
    layers.sequential({
      name: 'model',
      layers: [
        conv(16, 1, [28, 28, 1]),
        pool('pool1'),
        conv(32, 2),
        pool('pool2'),
        layers.layers.flatten({ name: 'flat' }),
        dense(64, 'relu', 3),
        dense(10, 'softmax', 4),
      ],
    }),
  deep: () =>
    layers.sequential({
      name: 'model',
      layers: [
        ...[conv(32, 1, [28, 28, 1]), conv(32, 2), pool('pool1'), conv(64, 3), conv(64, 4), pool('pool2'), conv(128, 5)],
        layers.layers.globalAveragePooling2d({ name: 'mean', dataFormat: 'channelsLast' }),
        ...[dense(128, 'relu', 6), dense(10, 'softmax', 7)],
      ],
    }),
  /** 27,562 parameters: the feed-forward network over Fashion-MNIST of Crayfish (Horchidan et al., EDBT 2024). */
  crayfish: () =>
    layers.sequential({
      name: 'model',
      layers: [dense(32, 'relu', 1, [784]), dense(32, 'relu', 2), dense(32, 'relu', 3), dense(10, 'softmax', 4)],
    }),
  /** Two rows' worth of 3e38 times 2 is infinite, and the softmax of two infinities is NaN. */
  overflow: () =>
    layers.sequential({
      name: 'model',
      layers: [
        layers.layers.dense({
          name: 'dense1',
          units: 2,
          activation: 'softmax',
          inputShape: [30],
          kernelInitializer: layers.initializers.constant({ value: 2 }),
        }),
      ],
    }),
};
