import type * as tfCore from '@tensorflow/tfjs-core';
import type { TrainingBackend } from './backend.ts';
import { Net, type NetSpec } from './net.ts';
import { Random } from './random.ts';

/** Rows made on demand: a full matrix of a wide text model would not fit small machines. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  /** Writes row `index` at `row[at .. at + width)`; every column is overwritten. */
  fill(index: number, row: Float32Array, at: number): void;
  label(index: number): number;
}

/** How a network is trained: Adam with a rate that falls along half a cosine to zero. */
export interface Recipe {
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  /** Share of each weight that is removed per step, times the rate (decoupled decay, Loshchilov and Hutter 2019). */
  readonly decay: number;
  /** Probability mass spread over all labels in the target. */
  readonly smoothing: number;
  /** How much a row of each label counts; default 1 each. */
  readonly weights?: readonly number[];
  /** Changes one row in place before it is learned from. */
  readonly augment?: (row: Float32Array, at: number, random: Random) => void;
}

export interface FitProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly seconds: number;
}

export interface FitInput {
  readonly backend: TrainingBackend;
  readonly spec: NetSpec;
  readonly recipe: Recipe;
  readonly rows: Rows;
  readonly labels: number;
  readonly seed: number;
  readonly onEpoch?: (progress: FitProgress) => void;
}

/** Trains a network. Same input, seed and backend binary: the same weights, bit for bit (WASM). The caller disposes it. */
export async function fit(input: FitInput): Promise<Net> {
  const { backend, recipe, rows, seed } = input;
  const { tf } = backend;
  const net = new Net(tf, input.spec, new Random(seed, 'weights'));
  const order = new Random(seed, 'order');
  const noise = new Random(seed, 'noise');
  const optimizer = tf.train.adam(recipe.rate);
  const steps = Math.ceil(rows.count / recipe.batch);
  for (let epoch = 0; epoch < recipe.epochs; epoch++) {
    const started = performance.now();
    const permutation = order.permutation(rows.count);
    let total = 0;
    for (let step = 0; step < steps; step++) {
      const progress = (epoch * steps + step) / (recipe.epochs * steps);
      const rate = recipe.rate * 0.5 * (1 + Math.cos(Math.PI * progress));
      Reflect.set(optimizer, 'learningRate', Math.max(rate, recipe.rate * 1e-4));
      const indices = permutation.subarray(step * recipe.batch, Math.min((step + 1) * recipe.batch, rows.count));
      total += learn({ ...input, net, optimizer, indices, noise }) * indices.length;
      shrink(backend, net, rate * recipe.decay);
    }
    input.onEpoch?.({ epoch: epoch + 1, epochs: recipe.epochs, loss: total / rows.count, seconds: (performance.now() - started) / 1000 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  optimizer.dispose();
  return net;
}

interface Batch extends FitInput {
  readonly net: Net;
  readonly optimizer: tfCore.Optimizer;
  readonly indices: Int32Array;
  readonly noise: Random;
}

/** One step of gradient descent; returns the mean loss of the batch. */
function learn({ backend, spec, recipe, rows, labels, net, optimizer, indices, noise }: Batch): number {
  const { tf } = backend;
  const values = new Float32Array(indices.length * rows.width);
  const targets = new Float32Array(indices.length * labels).fill(recipe.smoothing / labels);
  indices.forEach((index, position) => {
    rows.fill(index, values, position * rows.width);
    recipe.augment?.(values, position * rows.width, noise);
    const at = position * labels;
    const label = rows.label(index);
    targets[at + label]! += 1 - recipe.smoothing;
    const weight = recipe.weights?.[label] ?? 1;
    if (weight !== 1) for (let k = 0; k < labels; k++) targets[at + k]! *= weight;
  });
  return tf.tidy(() => {
    const x = tf.tensor(values, [indices.length, ...spec.shape]);
    const y = tf.tensor2d(targets, [indices.length, labels]);
    const loss = optimizer.minimize(
      () => tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(net.logits(x, noise))), 1))) as tfCore.Scalar,
      true,
      [...net.variables],
    );
    return loss!.dataSync()[0]!;
  });
}

function shrink({ tf }: TrainingBackend, net: Net, share: number): void {
  if (share === 0) return;
  tf.tidy(() => {
    for (const variable of net.variables) if (variable.rank > 1) variable.assign(tf.mul(variable, 1 - share));
  });
}

/** Probabilities, row by row, `labels` columns each. */
export function predict(backend: TrainingBackend, net: Net, rows: Rows): Float32Array {
  const { tf } = backend;
  const size = 200;
  const labels = net.variables.at(-1)!.size;
  const out = new Float32Array(rows.count * labels);
  for (let start = 0; start < rows.count; start += size) {
    const n = Math.min(size, rows.count - start);
    const values = new Float32Array(n * rows.width);
    for (let i = 0; i < n; i++) rows.fill(start + i, values, i * rows.width);
    const answers = tf.tidy(() => tf.softmax(net.logits(tf.tensor(values, [n, ...net.spec.shape]))).dataSync());
    out.set(answers, start * labels);
  }
  return out;
}

/** Share of rows whose likeliest label is the true one. */
export function accuracy(probabilities: Float32Array, rows: Rows): number {
  const labels = probabilities.length / rows.count;
  let right = 0;
  for (let i = 0; i < rows.count; i++) {
    const at = i * labels;
    let best = 0;
    for (let k = 1; k < labels; k++) if (probabilities[at + k]! > probabilities[at + best]!) best = k;
    if (best === rows.label(i)) right++;
  }
  return right / rows.count;
}
