import type { Manifest } from '@sluice/domain';
import type { io } from '@tensorflow/tfjs-core';
import { joinBuffers } from '../weights.ts';

/** Floats of a SIMD register. */
export const vectorFloats = 4;

const activations = ['linear', 'relu', 'relu6', 'sigmoid', 'tanh', 'softmax'] as const;
export type Activation = (typeof activations)[number];

/** Height, width and channels of one row; a vector is one pixel. */
export interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Pixels of zeros around a volume: top, left, bottom, right. */
export type Padding = readonly [top: number, left: number, bottom: number, right: number];

interface Windowed {
  readonly size: readonly [height: number, width: number];
  readonly strides: readonly [down: number, across: number];
  readonly input: Shape;
  readonly output: Shape;
}

/** `activation(sum of kernel x window + bias)`; kernel row-major [height, width, channels, filters]. A dense layer is one whose window is its whole input. */
export interface Convolution extends Windowed {
  readonly kind: 'convolution';
  readonly padding: Padding;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  readonly activation: Activation;
}

export interface Pool extends Windowed {
  readonly kind: 'max' | 'mean';
}

export type Step = Convolution | Pool;

/** Layers one behind the other, as they are at inference. */
export interface Network {
  readonly input: Shape;
  readonly steps: readonly Step[];
}

/** Thrown for a model that is no such chain, with the reason; others run it. */
export class Uncompilable extends Error {}

interface LayerConfig {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes?: readonly unknown[];
}

/** What is known while layers are read one after the other. */
interface Reading {
  readonly steps: Step[];
  shape: Shape;
  /** Whether the layers see one axis: a dense layer over an image would act on its last. */
  flat: boolean;
  /** Zeros that the next convolution finds around its input. */
  padding: Padding;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

const nothing: Padding = [0, 0, 0, 0];

/**
 * Reads a layers model as a chain of convolutions, dense layers and pools.
 * @throws Uncompilable naming the first layer that has no place in one.
 */
export function readNetwork(manifest: Pick<Manifest, 'format' | 'input' | 'labels'>, artifacts: io.ModelArtifacts): Network {
  if (manifest.format !== 'layers') throw new Uncompilable('only layers models are compiled');
  const input = inputShape(manifest.input.shape);
  const reading: Reading = {
    ...{ steps: [], shape: input, padding: nothing },
    flat: manifest.input.shape.length === 1,
    weights: readWeights(artifacts),
  };
  for (const layer of chainOf(artifacts.modelTopology)) {
    const read = readers[layer.class_name];
    if (!read) throw new Uncompilable(`${nameOf(layer)} is a ${layer.class_name}`);
    read(layer, reading);
  }
  const { steps, shape, padding } = reading;
  if (steps.slice(0, -1).some((step) => step.kind === 'convolution' && step.activation === 'softmax'))
    throw new Uncompilable('a softmax comes before the end');
  if (steps.length === 0 || shape.height * shape.width !== 1 || shape.channels !== manifest.labels.length || padding !== nothing)
    throw new Uncompilable(`the last layer does not put out one number for each of ${manifest.labels.length} labels`);
  return { input, steps };
}

function inputShape(shape: readonly number[]): Shape {
  if (shape.length === 1) return { height: 1, width: 1, channels: shape[0]! };
  if (shape.length === 3) return { height: shape[0]!, width: shape[1]!, channels: shape[2]! };
  throw new Uncompilable(`the input has ${shape.length} axes`);
}

const nameOf = ({ config }: LayerConfig): string => String(config['name']);

/** The layers of a sequential model, or of a functional one that is no more than a chain. */
function chainOf(topology: unknown): readonly LayerConfig[] {
  const root = topology as { model_config?: unknown } | undefined;
  const model = (root?.model_config ?? root) as
    { class_name?: string; config?: readonly LayerConfig[] | { layers?: readonly LayerConfig[] } } | undefined;
  const config = model?.config;
  const layers = Array.isArray(config) ? (config as readonly LayerConfig[]) : (config as { layers?: readonly LayerConfig[] })?.layers;
  if (!layers) throw new Uncompilable('the topology lists no layers');
  if (model?.class_name === 'Sequential') return layers;
  layers.forEach((layer, i) => {
    // [node][input][name of the layer it comes from, ...]
    const nodes = (layer.inbound_nodes ?? []) as readonly (readonly (readonly unknown[])[])[];
    const chained =
      i === 0 ? nodes.length === 0 : nodes.length === 1 && nodes[0]!.length === 1 && nodes[0]![0]![0] === nameOf(layers[i - 1]!);
    if (!chained) throw new Uncompilable(`${nameOf(layer)} does not simply follow the layer before it`);
  });
  return layers;
}

function readWeights({ weightSpecs, weightData }: io.ModelArtifacts): Map<string, Float32Array> {
  const bytes = joinBuffers(weightData ?? []);
  const weights = new Map<string, Float32Array>();
  let at = 0;
  for (const spec of weightSpecs ?? []) {
    if (spec.dtype !== 'float32' || spec.quantization) throw new Uncompilable(`${spec.name} is not plain float32`);
    const end = at + spec.shape.reduce((product, size) => product * size, 4);
    weights.set(spec.name, new Float32Array(bytes.slice(at, end).buffer));
    at = end;
  }
  return weights;
}

type Read = (layer: LayerConfig, reading: Reading) => void;

const skip: Read = () => {};

const readers: Readonly<Record<string, Read>> = {
  InputLayer: skip,
  Dropout: skip,
  SpatialDropout2D: skip,
  Flatten(_, reading) {
    reading.flat = true;
  },
  Dense(layer, reading) {
    if (!reading.flat) throw new Uncompilable(`${nameOf(layer)} is a dense layer over more than one axis`);
    const { height, width } = reading.shape;
    const output = { height: 1, width: 1, channels: Number(layer.config['units']) };
    push(reading, convolution(layer, reading, { size: [height, width], strides: [1, 1], output, padding: nothing }));
  },
  Conv2D(layer, reading) {
    if (pair(layer.config['dilation_rate'] ?? 1).some((rate) => rate !== 1)) throw new Uncompilable(`${nameOf(layer)} is dilated`);
    const filters = Number(layer.config['filters']);
    const { padding, ...window } = windowOf(layer, reading, { size: pair(layer.config['kernel_size']), channels: filters });
    push(reading, convolution(layer, reading, { ...window, padding: sum(reading.padding, padding) }));
    reading.padding = nothing;
  },
  ZeroPadding2D({ config }, reading) {
    const [[top, bottom], [left, right]] = config['padding'] as [[number, number], [number, number]];
    reading.padding = sum(reading.padding, [top, left, bottom, right]);
  },
  MaxPooling2D: (layer, reading) => pool('max', layer, reading),
  AveragePooling2D: (layer, reading) => pool('mean', layer, reading),
  GlobalMaxPooling2D: (layer, reading) => wholePool('max', layer, reading),
  GlobalAveragePooling2D: (layer, reading) => wholePool('mean', layer, reading),
  BatchNormalization: normalise,
  Activation: (layer, reading) => activate(layer, reading, activationOf(layer)),
  ReLU(layer, reading) {
    const { max_value: most, negative_slope: slope, threshold } = layer.config;
    if ((most ?? 6) !== 6 || (slope ?? 0) !== 0 || (threshold ?? 0) !== 0) throw new Uncompilable(`${nameOf(layer)} is no plain ReLU`);
    activate(layer, reading, most === 6 ? 'relu6' : 'relu');
  },
  Softmax: (layer, reading) => activate(layer, reading, 'softmax'),
};

function push(reading: Reading, step: Step): void {
  reading.steps.push(step);
  reading.shape = step.output;
}

const pair = (value: unknown): [number, number] =>
  Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number(value), Number(value)];
const sum = (a: Padding, b: Padding): Padding => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];

function activationOf(layer: LayerConfig): Activation {
  const name = layer.config['activation'] ?? 'linear';
  const known = activations.find((each) => each === name);
  if (!known) throw new Uncompilable(`${nameOf(layer)} has the activation ${String(name)}`);
  return known;
}

function convolution(
  layer: LayerConfig,
  { shape, weights }: Reading,
  window: Pick<Convolution, 'size' | 'strides' | 'output' | 'padding'>,
): Convolution {
  const { channels } = window.output;
  const name = nameOf(layer);
  const kernel = weights.get(`${name}/kernel`);
  const bias = layer.config['use_bias'] === false ? new Float32Array(channels) : weights.get(`${name}/bias`);
  if (kernel?.length !== window.size[0] * window.size[1] * shape.channels * channels || bias?.length !== channels)
    throw new Uncompilable(`the weights of ${name} do not fit its input`);
  return { kind: 'convolution', ...window, input: shape, kernel, bias, activation: activationOf(layer) };
}

interface Sized {
  readonly size: readonly [number, number];
  readonly channels: number;
}

/** Padding `same`: as many outputs as strides fit, what is short split in two, the odd line at the end (TensorFlow's rule). */
function windowOf(
  layer: LayerConfig,
  reading: Reading,
  { size, channels }: Sized,
): Pick<Convolution, 'size' | 'strides' | 'output' | 'padding'> {
  const { config } = layer;
  if (reading.flat || config['data_format'] === 'channels_first') throw new Uncompilable(`${nameOf(layer)} wants another order of axes`);
  const strides = pair(config['strides'] ?? size);
  const around = [reading.padding[0] + reading.padding[2], reading.padding[1] + reading.padding[3]];
  const inputs = [reading.shape.height + around[0]!, reading.shape.width + around[1]!];
  const same = config['padding'] === 'same';
  const outputs = inputs.map((length, i) => Math.floor((same ? length + strides[i]! - 1 : length - size[i]! + strides[i]!) / strides[i]!));
  const short = inputs.map((length, i) => (same ? Math.max(0, (outputs[i]! - 1) * strides[i]! + size[i]! - length) : 0));
  const [top, left] = [short[0]! >> 1, short[1]! >> 1];
  if (outputs.some((length) => length < 1)) throw new Uncompilable(`${nameOf(layer)} is larger than its input`);
  return {
    ...{ size, strides, padding: [top, left, short[0]! - top, short[1]! - left] },
    output: { height: outputs[0]!, width: outputs[1]!, channels },
  };
}

function pool(kind: Pool['kind'], layer: LayerConfig, reading: Reading): void {
  const size = pair(layer.config['pool_size']);
  const { padding, ...window } = windowOf(layer, reading, { size, channels: reading.shape.channels });
  if (sum(padding, reading.padding).some((lines) => lines > 0)) throw new Uncompilable(`${nameOf(layer)} pools over padding`);
  pushPool(layer, reading, { kind, ...window, input: reading.shape });
}

/** Pools take four channels at a time, and what rows hold is not filled up to that. */
function pushPool(layer: LayerConfig, reading: Reading, step: Pool): void {
  if (reading.steps.length === 0 && step.input.channels % vectorFloats > 0)
    throw new Uncompilable(`${nameOf(layer)} pools an input of ${step.input.channels} channels`);
  push(reading, step);
}

function wholePool(kind: Pool['kind'], layer: LayerConfig, reading: Reading): void {
  const { height, width, channels } = reading.shape;
  if (reading.flat || reading.padding !== nothing) throw new Uncompilable(`${nameOf(layer)} wants another order of axes`);
  pushPool(layer, reading, {
    kind,
    size: [height, width],
    strides: [1, 1],
    input: reading.shape,
    output: { height: 1, width: 1, channels },
  });
  reading.flat = true;
}

/** The convolution before it, where its activation is still to come. */
function openConvolution(layer: LayerConfig, { steps }: Reading): Convolution {
  const last = steps.at(-1);
  if (last?.kind !== 'convolution' || last.activation !== 'linear') throw new Uncompilable(`${nameOf(layer)} follows no linear layer`);
  return last;
}

function activate(layer: LayerConfig, reading: Reading, activation: Activation): void {
  if (activation === 'linear') return;
  reading.steps[reading.steps.length - 1] = { ...openConvolution(layer, reading), activation };
}

/** At inference a scale and a shift for each channel, which the weights before it take up. */
function normalise(layer: LayerConfig, reading: Reading): void {
  if (reading.padding !== nothing) throw new Uncompilable(`${nameOf(layer)} follows padding`);
  const before = openConvolution(layer, reading);
  const { channels } = before.output;
  const of = (name: string, otherwise: number): Float32Array =>
    reading.weights.get(`${nameOf(layer)}/${name}`) ?? new Float32Array(channels).fill(otherwise);
  const [gamma, beta, mean, variance] = [of('gamma', 1), of('beta', 0), of('moving_mean', 0), of('moving_variance', 1)];
  const epsilon = Number(layer.config['epsilon'] ?? 1e-3);
  const scale = gamma.map((value, i) => value / Math.sqrt(variance[i]! + epsilon));
  reading.steps[reading.steps.length - 1] = {
    ...before,
    kernel: before.kernel.map((value, i) => value * scale[i % channels]!),
    bias: before.bias.map((value, i) => (value - mean[i]!) * scale[i]! + beta[i]!),
  };
}
