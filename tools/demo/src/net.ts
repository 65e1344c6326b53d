import type * as tfCore from '@tensorflow/tfjs-core';
import type * as tfLayers from '@tensorflow/tfjs-layers';
import type { Tf } from './backend.ts';
import type { Random } from './random.ts';

/** One layer of a demo network. Convolutions are 3 x 3, stride 1, padded to the same size, with ReLU; pools halve height and width. */
export type LayerSpec =
  | { readonly kind: 'conv'; readonly filters: number }
  | { readonly kind: 'pool' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'dense'; readonly units: number; readonly relu: boolean };

export interface NetSpec {
  /** Shape of one row, without the batch dimension. */
  readonly shape: readonly number[];
  /** The last layer is dense without ReLU: its outputs are the logits, one a label. */
  readonly layers: readonly LayerSpec[];
}

/** A network in training: its variables in layer order (kernel, bias, kernel, bias, ...). */
export class Net {
  readonly spec: NetSpec;
  readonly variables: readonly tfCore.Variable[];
  readonly #tf: Tf;

  constructor(tf: Tf, spec: NetSpec, random: Random) {
    this.#tf = tf;
    this.spec = spec;
    this.variables = initialWeights(spec, random).map(({ shape, values }) => tf.variable(tf.tensor(values, shape)));
  }

  /** Logits `[batch, labels]` for rows of shape `[batch, ...shape]`. With `random`, dropout is active. */
  logits(rows: tfCore.Tensor, random?: Random): tfCore.Tensor2D {
    const tf = this.#tf;
    let next = 0;
    let x = rows;
    for (const layer of this.spec.layers) {
      if (layer.kind === 'conv') {
        x = tf.conv2d(x as tfCore.Tensor4D, this.variables[next++] as unknown as tfCore.Tensor4D, 1, 'same');
        x = tf.relu(tf.add(x, this.variables[next++]!));
      } else if (layer.kind === 'pool') x = tf.maxPool(x as tfCore.Tensor4D, 2, 2, 'valid');
      else if (layer.kind === 'flatten') x = tf.reshape(x, [x.shape[0]!, -1]);
      else if (layer.kind === 'dropout') x = random ? tf.mul(x, mask(tf, x.shape, { rate: layer.rate, random })) : x;
      else {
        x = tf.add(tf.matMul(x as tfCore.Tensor2D, this.variables[next++] as unknown as tfCore.Tensor2D), this.variables[next++]!);
        if (layer.relu) x = tf.relu(x);
      }
    }
    return x as tfCore.Tensor2D;
  }

  /** The same network as a layers model with softmax output, for saving. Dropout, inactive when serving, is left out. */
  toLayersModel(): tfLayers.Sequential {
    const tf = this.#tf;
    // Named, because the library numbers unnamed models by process: the same net must give the same file.
    const model = tf.sequential({ name: 'net' });
    const { layers, shape } = this.spec;
    layers.forEach((layer, index) => {
      const first = model.layers.length === 0 ? { inputShape: [...shape] } : {};
      const name = `${layer.kind}${index}`;
      if (layer.kind === 'conv')
        model.add(tf.layers.conv2d({ ...first, name, filters: layer.filters, kernelSize: 3, padding: 'same', activation: 'relu' }));
      else if (layer.kind === 'pool') model.add(tf.layers.maxPooling2d({ ...first, name, poolSize: 2 }));
      else if (layer.kind === 'flatten') model.add(tf.layers.flatten({ ...first, name }));
      else if (layer.kind === 'dense') {
        const activation = index === layers.length - 1 ? 'softmax' : layer.relu ? 'relu' : 'linear';
        model.add(tf.layers.dense({ ...first, name, units: layer.units, activation }));
      }
    });
    model.setWeights([...this.variables]);
    return model;
  }

  dispose(): void {
    for (const variable of this.variables) variable.dispose();
  }
}

interface Weights {
  readonly shape: number[];
  readonly values: Float32Array;
}

/** He's uniform initialisation for kernels (limit sqrt(6 / fan in)), zeros for biases; the logits start at zero. */
function initialWeights(spec: NetSpec, random: Random): Weights[] {
  const weights: Weights[] = [];
  let shape = [...spec.shape];
  spec.layers.forEach((layer, index) => {
    if (layer.kind === 'conv') {
      weights.push(...kernelAndBias([3, 3, shape[2]!, layer.filters], random));
      shape = [shape[0]!, shape[1]!, layer.filters];
    } else if (layer.kind === 'pool') shape = [Math.floor(shape[0]! / 2), Math.floor(shape[1]! / 2), shape[2]!];
    else if (layer.kind === 'flatten') shape = [shape.reduce((product, size) => product * size, 1)];
    else if (layer.kind === 'dense') {
      const last = index === spec.layers.length - 1;
      weights.push(...kernelAndBias([shape[0]!, layer.units], last ? undefined : random));
      shape = [layer.units];
    }
  });
  return weights;
}

function kernelAndBias(shape: number[], random: Random | undefined): Weights[] {
  const size = shape.reduce((product, length) => product * length, 1);
  const outputs = shape.at(-1)!;
  const limit = Math.sqrt((6 * outputs) / size);
  const values = new Float32Array(size);
  if (random) for (let i = 0; i < size; i++) values[i] = (2 * random.uniform() - 1) * limit;
  return [
    { shape, values },
    { shape: [outputs], values: new Float32Array(outputs) },
  ];
}

/** Inverted dropout: kept entries are scaled up, so that serving needs no scaling. Drawn by us because the library repeats one mask per seed. */
function mask(tf: Tf, shape: number[], { rate, random }: { rate: number; random: Random }): tfCore.Tensor {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const kept = 1 / (1 - rate);
  for (let i = 0; i < values.length; i++) values[i] = random.uniform() < rate ? 0 : kept;
  return tf.tensor(values, shape);
}
