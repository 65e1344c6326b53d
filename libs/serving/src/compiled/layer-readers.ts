import {
  activations,
  noPadding,
  paddingOf,
  vectorFloats,
  type Activation,
  type Convolution,
  type Padding,
  type Pool,
  type Shape,
  type Step,
  type Sum,
} from './network.ts';
import type { Layer } from './topology.ts';
import { Uncompilable } from './uncompilable.ts';

/** What a layer puts out. */
export interface Value {
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

export interface Reading {
  readonly steps: Step[];
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** A layer, what it reads, and what is known so far. */
interface Place extends Reading {
  readonly layer: Layer;
  readonly value: Value;
  readonly others: readonly Value[];
}

/** Who else reads what the layer puts out is not its own knowledge. */
type Output = Omit<Value, 'shared'>;
type Read = (place: Place) => Output;

/** Adds the steps of one layer, or changes the step before. @throws Uncompilable naming the layer when there is no code for it. */
export function readLayer(place: Place): Output {
  const { layer, others } = place;
  const read = (others.length > 0 ? joiners : readers)[layer.kind];
  if (!read) throw new Uncompilable(`${layer.name} is a ${layer.kind}`);
  return read(place);
}

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

/** Layers that read several others. */
const joiners: Readonly<Record<string, Read>> = {
  Add(place) {
    const [first, ...others] = joinedBy(place);
    if (others.some(({ shape }) => JSON.stringify(shape) !== JSON.stringify(first!.shape)))
      throw new Uncompilable(`${place.layer.name} adds volumes of different shapes`);
    return others.reduce<Output>((value, { from }) => {
      const sum = { kind: 'sum', from: value.from, with: from, input: value.shape, output: value.shape, activation: 'linear' } as const;
      return push({ ...place, value: { ...value, shared: false } }, sum);
    }, first!);
  },
  Concatenate(place) {
    const { layer, value } = place;
    const joined = joinedBy(place);
    const { height, width } = value.shape;
    const axes = value.flat ? 1 : 3;
    const axis = Number(layer.config['axis'] ?? -1);
    if ((axis !== -1 && axis !== axes) || (value.flat && height * width > 1))
      throw new Uncompilable(`${layer.name} joins along another axis than the channels`);
    const uneven = joined.slice(0, -1).find(({ shape }) => shape.channels % vectorFloats > 0);
    if (uneven) throw new Uncompilable(`${layer.name} joins ${uneven.shape.channels} channels, no multiple of ${vectorFloats}`);
    const output = { height, width, channels: joined.reduce((all, { shape }) => all + shape.channels, 0) };
    const [from, ...others] = joined.map((each) => each.from) as [number, ...number[]];
    return push(place, { kind: 'join', from, with: others, input: value.shape, output });
  },
};

function joinedBy({ layer, value, others }: Place): readonly Value[] {
  const all = [value, ...others];
  if (all.some(({ from }) => from < 0)) throw new Uncompilable(`${layer.name} reads the rows themselves`);
  if (all.some(({ padding }) => padding !== noPadding)) throw new Uncompilable(`${layer.name} follows padding`);
  return all;
}

function push({ steps, value }: Place, step: Step): Output {
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

function convolved(place: Place, parts: Window & Pick<Convolution, 'kernel' | 'bias'>): Output {
  const { layer, value } = place;
  const { size, output, kernel, bias } = parts;
  if (kernel.length !== size[0] * size[1] * value.shape.channels * output.channels || bias.length !== output.channels)
    throw new Uncompilable(`the weights of ${layer.name} do not fit its input`);
  return push(place, { kind: 'convolution', from: value.from, ...parts, input: value.shape, activation: activationOf(layer) });
}

function depthwise(place: Place, parts: Pick<Convolution, 'bias' | 'activation'>): Output {
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

function pool(kind: Pool['kind'], place: Place): Output {
  const { layer, value, steps } = place;
  const window = windowOf(place, { size: pair(layer.config['pool_size']), channels: value.shape.channels });
  const bordered = window.padding.some((lines, i) => lines > value.padding[i]!);
  if (bordered && kind === 'max' && !isPositive(value.from, steps)) throw new Uncompilable(`${layer.name} pools over a border of zeros`);
  return pooled(kind, place, window);
}

/** Whether no output is below the zeros of a border, which are then never the largest where they must not count. */
function isPositive(from: number, steps: readonly Step[]): boolean {
  const step = steps[from];
  if (!step) return false;
  if ('activation' in step) return ['relu', 'relu6', 'sigmoid', 'softmax'].includes(step.activation);
  return [step.from, ...('with' in step ? step.with : [])].every((each) => isPositive(each, steps));
}

/** For each output one over the numbers of its window; zeros that a layer put around count, those that fill the last windows up do not. */
function sharesOf({ shape, padding: around }: Value, { size, strides, padding, output }: Window): Float32Array {
  const lengths = [shape.height + around[0] + around[2], shape.width + around[1] + around[3]];
  const counted = (axis: 0 | 1, place: number): number => {
    const start = place * strides[axis] - (padding[axis] - around[axis]);
    return Math.min(start + size[axis], lengths[axis]!) - Math.max(start, 0);
  };
  return Float32Array.from(
    { length: output.height * output.width },
    (_, i) => 1 / (counted(0, Math.floor(i / output.width)) * counted(1, i % output.width)),
  );
}

function wholePool(kind: Pool['kind'], place: Place): Output {
  const { layer, value } = place;
  const { height, width, channels } = value.shape;
  if (value.flat || value.padding !== noPadding) throw new Uncompilable(`${layer.name} wants another order of axes`);
  const output = { height: 1, width: 1, channels };
  return { ...pooled(kind, place, { size: [height, width], strides: [1, 1], padding: noPadding, output }), flat: true };
}

/** Pools take four channels at a time, and what rows hold is not filled up to that. */
function pooled(kind: Pool['kind'], place: Place, window: Window): Output {
  const { layer, value } = place;
  if (value.from < 0 && value.shape.channels % vectorFloats > 0)
    throw new Uncompilable(`${layer.name} pools an input of ${value.shape.channels} channels`);
  const step = { from: value.from, ...window, input: value.shape };
  return push(place, kind === 'max' ? { kind, ...step } : { kind, ...step, shares: sharesOf(value, window) });
}

/** The step before, where its activation is still to come and nothing else reads it. */
function openStep({ layer, steps, value }: Place): Convolution | Sum | undefined {
  const step = steps[value.from];
  if (value.padding !== noPadding) throw new Uncompilable(`${layer.name} follows padding`);
  return step && 'activation' in step && step.activation === 'linear' && !value.shared ? step : undefined;
}

function activate(place: Place, activation: Activation): Output {
  const { channels } = place.value.shape;
  if (activation === 'linear') return place.value;
  const before = openStep(place);
  if (!before) return scaled(place, { scale: new Float32Array(channels).fill(1), shift: new Float32Array(channels), activation });
  place.steps[place.value.from] = { ...before, activation };
  return place.value;
}

interface Scaling {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly activation: Activation;
}

/** A step of its own for what the step before cannot take up: a depthwise convolution of single pixels. */
function scaled(place: Place, { scale, shift, activation }: Scaling): Output {
  const { layer, value } = place;
  if (value.from < 0 && value.shape.channels % vectorFloats > 0)
    throw new Uncompilable(`${layer.name} reads an input of ${value.shape.channels} channels`);
  const window = { size: [1, 1], strides: [1, 1], padding: noPadding, input: value.shape, output: value.shape } as const;
  return push(place, { kind: 'depthwise', from: value.from, ...window, kernel: scale, bias: shift, activation });
}

/** At inference a scale and a shift for each channel, which the weights before it take up. */
function normalise(place: Place): Output {
  const { layer, steps, value, weights } = place;
  const { height, width, channels } = value.shape;
  if (value.flat && height * width > 1) throw new Uncompilable(`${layer.name} normalises an image that was flattened`);
  const before = openStep(place);
  const of = (name: string, otherwise: number): Float32Array =>
    weights.get(`${layer.name}/${name}`) ?? new Float32Array(channels).fill(otherwise);
  const [gamma, beta, mean, variance] = [of('gamma', 1), of('beta', 0), of('moving_mean', 0), of('moving_variance', 1)];
  const epsilon = Number(layer.config['epsilon'] ?? 1e-3);
  const scale = gamma.map((factor, i) => factor / Math.sqrt(variance[i]! + epsilon));
  if (!before || before.kind === 'sum')
    return scaled(place, { scale, shift: beta.map((shift, i) => shift - mean[i]! * scale[i]!), activation: 'linear' });
  steps[value.from] = {
    ...before,
    kernel: before.kernel.map((weight, i) => weight * scale[i % channels]!),
    bias: before.bias.map((shift, i) => (shift - mean[i]!) * scale[i]! + beta[i]!),
  };
  return value;
}
