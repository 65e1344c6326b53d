import type { Manifest } from '@sluice/domain';
import type { io } from '@tensorflow/tfjs-core';
import {
  activations,
  noPadding,
  paddingOf,
  vectorFloats,
  type Activation,
  type Convolution,
  type Network,
  type Padding,
  type Pool,
  type Shape,
  type Step,
  type Windowed,
} from './network.ts';
import { layersOf, type Layer } from './topology.ts';
import { readWeights } from './read-weights.ts';
import { Uncompilable } from './uncompilable.ts';

/** What a layer puts out. */
interface Value {
  /** The step that computes it; -1: the rows. */
  readonly from: number;
  readonly shape: Shape;
  /** Whether it has one axis: a dense layer over an image would act on its last. */
  readonly flat: boolean;
  /** Zeros around it that the next convolution finds. */
  readonly padding: Padding;
  /** Whether more than one layer reads it, so that none of them may change the step. */
  readonly shared: boolean;
}

interface Reading {
  readonly steps: Step[];
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** A layer, what it reads, and what is known so far. */
interface Place extends Reading {
  readonly layer: Layer;
  readonly value: Value;
  readonly others: readonly Value[];
}

/**
 * Reads a layers model as steps.
 * @throws Uncompilable naming the first layer that there is no code for.
 */
export function readNetwork(manifest: Pick<Manifest, 'format' | 'input' | 'labels'>, artifacts: io.ModelArtifacts): Network {
  if (manifest.format !== 'layers') throw new Uncompilable('only layers models are compiled');
  const rows: Value = {
    ...{ from: -1, shape: inputShape(manifest.input.shape), padding: noPadding, shared: false },
    flat: manifest.input.shape.length === 1,
  };
  const reading: Reading = { steps: [], weights: readWeights(artifacts) };
  const values = new Map<string, Value>();
  let last = rows;
  for (const layer of layersOf(artifacts.modelTopology)) {
    const [value = rows, ...others] = layer.inputs.map((name) => valueOf(name, values));
    const read = readers[layer.kind];
    if (!read || (others.length > 0 && layer.kind !== 'Add')) throw new Uncompilable(`${layer.name} is a ${layer.kind}`);
    const output = read({ ...reading, layer, value, others });
    last = { ...output, shared: (output.from === value.from && value.shared) || layer.readers > 1 };
    values.set(layer.name, last);
  }
  checkEnd(reading.steps, last, manifest.labels.length);
  return { input: rows.shape, steps: reading.steps };
}

function valueOf(name: string, values: ReadonlyMap<string, Value>): Value {
  const value = values.get(name);
  if (!value) throw new Uncompilable(`${name} is listed behind a layer that reads it`);
  return value;
}

function checkEnd(steps: readonly Step[], { from, shape, padding }: Value, labels: number): void {
  if (steps.slice(0, -1).some((step) => 'activation' in step && step.activation === 'softmax'))
    throw new Uncompilable('a softmax comes before the end');
  const ends = from === steps.length - 1 && from >= 0 && padding === noPadding;
  if (!ends || shape.height * shape.width !== 1 || shape.channels !== labels)
    throw new Uncompilable(`the last layer does not put out one number for each of ${labels} labels`);
}

function inputShape(shape: readonly number[]): Shape {
  if (shape.length === 1) return { height: 1, width: 1, channels: shape[0]! };
  if (shape.length === 3) return { height: shape[0]!, width: shape[1]!, channels: shape[2]! };
  throw new Uncompilable(`the input has ${shape.length} axes`);
}

type Read = (place: Place) => Omit<Value, 'shared'>;

const skip: Read = ({ value }) => value;

const readers: Readonly<Record<string, Read>> = {
  InputLayer: skip,
  Dropout: skip,
  SpatialDropout2D: skip,
  Flatten: ({ value }) => ({ ...value, flat: true }),
  Dense(place) {
    const { layer, value } = place;
    if (!value.flat) throw new Uncompilable(`${layer.name} is a dense layer over more than one axis`);
    const { height, width } = value.shape;
    const output = { height: 1, width: 1, channels: Number(layer.config['units']) };
    const weights = { kernel: weightOf(place, 'kernel'), bias: biasOf(place, output.channels) };
    return convolved(place, { size: [height, width], strides: [1, 1], output, padding: noPadding, ...weights });
  },
  Conv2D(place) {
    const filters = Number(place.layer.config['filters']);
    const window = windowOf(place, { size: pair(place.layer.config['kernel_size']), channels: filters });
    return convolved(place, { ...window, kernel: weightOf(place, 'kernel'), bias: biasOf(place, filters) });
  },
  DepthwiseConv2D: (place) => depthwise(place, { bias: biasOf(place, place.value.shape.channels), activation: activationOf(place.layer) }),
  SeparableConv2D(place) {
    const { channels } = place.value.shape;
    const filters = Number(place.layer.config['filters']);
    const value = { ...depthwise(place, { bias: new Float32Array(channels), activation: 'linear' }), shared: false };
    const weights = { kernel: weightOf(place, 'pointwise_kernel'), bias: biasOf(place, filters) };
    const output = { ...value.shape, channels: filters };
    return convolved({ ...place, value }, { size: [1, 1], strides: [1, 1], output, padding: noPadding, ...weights });
  },
  Add(place) {
    const { layer, value, others } = place;
    const other = others[0];
    if (!other || others.length > 1 || other.from < 0 || value.from < 0) throw new Uncompilable(`${layer.name} adds other than two layers`);
    if ([value, other].some(({ padding }) => padding !== noPadding)) throw new Uncompilable(`${layer.name} follows padding`);
    return push(place, { kind: 'sum', from: value.from, with: other.from, input: value.shape, output: value.shape, activation: 'linear' });
  },
  ZeroPadding2D({ layer, value }) {
    const [[top, bottom], [left, right]] = layer.config['padding'] as [[number, number], [number, number]];
    return { ...value, padding: sum(value.padding, [top, left, bottom, right]) };
  },
  MaxPooling2D: (place) => pool('max', place),
  AveragePooling2D: (place) => pool('mean', place),
  GlobalMaxPooling2D: (place) => wholePool('max', place),
  GlobalAveragePooling2D: (place) => wholePool('mean', place),
  BatchNormalization: normalise,
  Activation: (place) => activate(place, activationOf(place.layer)),
  ReLU(place) {
    const { max_value: most, negative_slope: slope, threshold } = place.layer.config;
    if ((most ?? 6) !== 6 || (slope ?? 0) !== 0 || (threshold ?? 0) !== 0) throw new Uncompilable(`${place.layer.name} is no plain ReLU`);
    return activate(place, most === 6 ? 'relu6' : 'relu');
  },
  Softmax: (place) => activate(place, 'softmax'),
};

function push({ steps, value }: Place, step: Step): Omit<Value, 'shared'> {
  const bordered = value.from < 0 && paddingOf(step).some((lines) => lines > 0);
  if (bordered) steps.push({ kind: 'copy', from: -1, input: value.shape, output: value.shape });
  steps.push(bordered ? { ...step, from: steps.length - 1 } : step);
  return { from: steps.length - 1, shape: step.output, flat: value.flat, padding: noPadding };
}

const pair = (value: unknown): [number, number] =>
  Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number(value), Number(value)];
const sum = (a: Padding, b: Padding): Padding => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];

function activationOf({ name, config }: Layer): Activation {
  const asked = config['activation'] ?? 'linear';
  const known = activations.find((each) => each === asked);
  if (!known) throw new Uncompilable(`${name} has the activation ${String(asked)}`);
  return known;
}

function weightOf({ layer, weights }: Place, name: string): Float32Array {
  const found = weights.get(`${layer.name}/${name}`);
  if (!found) throw new Uncompilable(`${layer.name} has no ${name}`);
  return found;
}

const biasOf = (place: Place, channels: number): Float32Array =>
  place.layer.config['use_bias'] === false ? new Float32Array(channels) : weightOf(place, 'bias');

type Window = Pick<Convolution, 'size' | 'strides' | 'output' | 'padding'>;

function convolved(place: Place, parts: Window & Pick<Convolution, 'kernel' | 'bias'>): Omit<Value, 'shared'> {
  const { layer, value } = place;
  const { size, output, kernel, bias } = parts;
  if (kernel.length !== size[0] * size[1] * value.shape.channels * output.channels || bias.length !== output.channels)
    throw new Uncompilable(`the weights of ${layer.name} do not fit its input`);
  return push(place, { kind: 'convolution', from: value.from, ...parts, input: value.shape, activation: activationOf(layer) });
}

function depthwise(place: Place, parts: Pick<Convolution, 'bias' | 'activation'>): Omit<Value, 'shared'> {
  const { layer, value } = place;
  const { channels } = value.shape;
  if ((layer.config['depth_multiplier'] ?? 1) !== 1) throw new Uncompilable(`${layer.name} multiplies its channels`);
  if (value.from < 0 && channels % vectorFloats > 0) throw new Uncompilable(`${layer.name} reads an input of ${channels} channels`);
  const window = windowOf(place, { size: pair(layer.config['kernel_size']), channels });
  const kernel = weightOf(place, 'depthwise_kernel');
  return push(place, { kind: 'depthwise', from: value.from, ...window, input: value.shape, kernel, ...parts });
}

interface Sized {
  readonly size: readonly [number, number];
  readonly channels: number;
}

/** Padding `same`: as many outputs as strides fit, what is short split in two, the odd line at the end (TensorFlow's rule). */
function windowOf({ layer, value }: Place, { size, channels }: Sized): Window {
  const { config, name } = layer;
  if (value.flat || config['data_format'] === 'channels_first') throw new Uncompilable(`${name} wants another order of axes`);
  if (pair(config['dilation_rate'] ?? 1).some((rate) => rate !== 1)) throw new Uncompilable(`${name} is dilated`);
  const strides = pair(config['strides'] ?? size);
  const around = value.padding;
  const inputs = [value.shape.height + around[0] + around[2], value.shape.width + around[1] + around[3]];
  const same = config['padding'] === 'same';
  const outputs = inputs.map((length, i) => Math.floor((same ? length + strides[i]! - 1 : length - size[i]! + strides[i]!) / strides[i]!));
  const short = inputs.map((length, i) => (same ? Math.max(0, (outputs[i]! - 1) * strides[i]! + size[i]! - length) : 0));
  const [top, left] = [short[0]! >> 1, short[1]! >> 1];
  if (outputs.some((length) => length < 1)) throw new Uncompilable(`${name} is larger than its input`);
  return {
    ...{ size, strides, padding: sum(around, [top, left, short[0]! - top, short[1]! - left]) },
    output: { height: outputs[0]!, width: outputs[1]!, channels },
  };
}

function pool(kind: Pool['kind'], place: Place): Omit<Value, 'shared'> {
  const { layer, value } = place;
  const { padding, ...window } = windowOf(place, { size: pair(layer.config['pool_size']), channels: value.shape.channels });
  if (padding.some((lines) => lines > 0)) throw new Uncompilable(`${layer.name} pools over padding`);
  return pooled(kind, place, window);
}

function wholePool(kind: Pool['kind'], place: Place): Omit<Value, 'shared'> {
  const { layer, value } = place;
  const { height, width, channels } = value.shape;
  if (value.flat || value.padding !== noPadding) throw new Uncompilable(`${layer.name} wants another order of axes`);
  const output = { height: 1, width: 1, channels };
  return { ...pooled(kind, place, { size: [height, width], strides: [1, 1], output }), flat: true };
}

/** Pools take four channels at a time, and what rows hold is not filled up to that. */
function pooled(kind: Pool['kind'], place: Place, window: Omit<Windowed, 'from' | 'input'>): Omit<Value, 'shared'> {
  const { layer, value } = place;
  if (value.from < 0 && value.shape.channels % vectorFloats > 0)
    throw new Uncompilable(`${layer.name} pools an input of ${value.shape.channels} channels`);
  return push(place, { kind, from: value.from, ...window, input: value.shape });
}

/** The step before, where its activation is still to come and nothing else reads it. */
function openStep({ layer, steps, value }: Place): Exclude<Step, Pool | { kind: 'copy' }> {
  const step = steps[value.from];
  if (value.padding !== noPadding) throw new Uncompilable(`${layer.name} follows padding`);
  if (!step || !('activation' in step) || step.activation !== 'linear') throw new Uncompilable(`${layer.name} follows no linear layer`);
  if (value.shared) throw new Uncompilable(`${layer.name} is not the only reader of the layer before it`);
  return step;
}

function activate(place: Place, activation: Activation): Omit<Value, 'shared'> {
  if (activation !== 'linear') place.steps[place.value.from] = { ...openStep(place), activation };
  return place.value;
}

/** At inference a scale and a shift for each channel, which the weights before it take up. */
function normalise(place: Place): Omit<Value, 'shared'> {
  const { layer, steps, value, weights } = place;
  const before = openStep(place);
  if (before.kind === 'sum') throw new Uncompilable(`${layer.name} follows no convolution`);
  const { channels } = before.output;
  const of = (name: string, otherwise: number): Float32Array =>
    weights.get(`${layer.name}/${name}`) ?? new Float32Array(channels).fill(otherwise);
  const [gamma, beta, mean, variance] = [of('gamma', 1), of('beta', 0), of('moving_mean', 0), of('moving_variance', 1)];
  const epsilon = Number(layer.config['epsilon'] ?? 1e-3);
  const scale = gamma.map((factor, i) => factor / Math.sqrt(variance[i]! + epsilon));
  steps[value.from] = {
    ...before,
    kernel: before.kernel.map((weight, i) => weight * scale[i % channels]!),
    bias: before.bias.map((shift, i) => (shift - mean[i]!) * scale[i]! + beta[i]!),
  };
  return value;
}
