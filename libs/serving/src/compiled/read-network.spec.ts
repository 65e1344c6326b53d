import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { artifactsOf } from '../../testing/models.ts';
import { readNetwork } from './read-network.ts';
import { Uncompilable } from './uncompilable.ts';

type Layer = layers.layers.Layer;
type Value = layers.SymbolicTensor;

const { layers: make } = layers;
const conv4 = (): Layer => make.conv2d({ filters: 4, kernelSize: 3 });

async function read(model: layers.LayersModel, shape: number[], labels: number) {
  const manifest = { format: 'layers', input: { shape, features: [] }, labels: Array.from({ length: labels }, String) };
  return readNetwork(manifest as never, await artifactsOf(model));
}

describe('a network', () => {
  beforeAll(() => tf.enableProdMode());

  it.each<[string, string, () => Layer[]]>([
    ['a layer that there is no code for', 'larger is a UpSampling2D', () => [make.upSampling2d({ name: 'larger' }), make.flatten()]],
    [
      'another activation',
      'last has the activation elu',
      () => [make.flatten(), make.dense({ name: 'last', units: 2, activation: 'elu' })],
    ],
    ['dilation', 'wide is dilated', () => [make.conv2d({ name: 'wide', filters: 1, kernelSize: 2, dilationRate: 2 }), make.flatten()]],
    [
      'a border around padding that counts',
      'rim pools over zeros and a border',
      () => [conv4(), make.zeroPadding2d({ padding: 1 }), make.maxPooling2d({ name: 'rim', poolSize: 4, padding: 'same' }), make.flatten()],
    ],
    [
      'a normalisation of padding',
      'norm follows padding',
      () => [conv4(), make.zeroPadding2d({ padding: 1 }), make.batchNormalization({ name: 'norm' }), make.flatten()],
    ],
    [
      'a scale for each place of an image',
      'norm scales an image that was flattened',
      () => [conv4(), make.flatten(), make.batchNormalization({ name: 'norm' })],
    ],
    [
      'a dense layer over padding',
      'last follows padding',
      () => [conv4(), make.zeroPadding2d({ padding: 1 }), make.flatten(), make.dense({ name: 'last', units: 2 })],
    ],
    [
      'a softmax in the middle',
      'a softmax comes before the end',
      () => [make.flatten(), make.dense({ units: 2, activation: 'softmax' }), make.dense({ units: 2 })],
    ],
    [
      'a dense layer over images',
      'deep is a dense layer over more than one axis',
      () => [make.dense({ name: 'deep', units: 2 }), make.flatten()],
    ],
    ['outputs that are no labels', 'the last layer does not put out one number for each of 2 labels', () => [conv4(), make.flatten()]],
  ])('is not read with %s, named in the reason', async (_, reason, stack) => {
    const shape = [6, 6, 3];
    const model = layers.sequential({ layers: [layers.layers.inputLayer({ inputShape: shape }), ...stack()] });
    await expect(read(model, shape, 2)).rejects.toThrow(new Uncompilable(reason));
  });

  it.each<[string, string, (rows: Value) => Value]>([
    [
      'branches that meet in another way',
      'both is a Maximum',
      (rows) => join(make.maximum({ name: 'both' }), branch(rows, 2), branch(rows, 2)),
    ],
    [
      'a sum of one number and two',
      'sum combines volumes of different shapes',
      (rows) => join(make.add({ name: 'sum' }), branch(rows, 2), branch(rows, 1)),
    ],
    [
      'channels that do not end where four do',
      'both joins 3 channels, no multiple of 4',
      (rows) => join(make.concatenate({ name: 'both' }), branch(rows, 3), branch(rows, 4)),
    ],
  ])('is not read with %s, named in the reason', async (_, reason, network) => {
    const rows = layers.input({ shape: [3] });
    await expect(read(layers.model({ inputs: rows, outputs: network(rows) }), [3], 2)).rejects.toThrow(new Uncompilable(reason));
  });

  it('is not read where lines are joined instead of channels', async () => {
    const rows = layers.input({ shape: [6, 6, 3] });
    const lines = join(make.concatenate({ name: 'below', axis: 1 }), conv4().apply(rows) as Value, conv4().apply(rows) as Value);
    const model = layers.model({ inputs: rows, outputs: make.flatten().apply(lines) as Value });
    await expect(read(model, [6, 6, 3], 2)).rejects.toThrow(new Uncompilable('below joins along another axis than the channels'));
  });
});

const branch = (rows: Value, units: number): Value => make.dense({ units }).apply(rows) as Value;
const join = (layer: Layer, ...values: Value[]): Value => layer.apply(values) as Value;
