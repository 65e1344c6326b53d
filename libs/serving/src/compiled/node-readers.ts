import type { Activation, Combination, Padding, Pool } from './network.ts';
import { scalingOf, type NetworkBuilder, type Place, type Value, type Windows } from './network-builder.ts';
import type { Weight } from './read-weights.ts';
import { Uncompilable } from './uncompilable.ts';

/** A node as model.json has it: tensorflow/core/framework/node_def.proto in JSON, where whole numbers and texts (base64) are strings. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
}

interface Attribute {
  readonly b?: boolean;
  readonly f?: number;
  readonly s?: string;
  readonly list?: { readonly i?: readonly (string | number)[]; readonly s?: readonly string[] };
}

/** A node, and each of its inputs: what another node puts out, or a constant. */
interface Reading {
  readonly node: GraphNode;
  readonly inputs: readonly (Value | Weight)[];
  readonly builder: NetworkBuilder;
}

type Read = (reading: Reading) => Value;

/** What adds the steps of a node. @throws Uncompilable naming the node when there is no code for it. */
export function readerOf({ name, op }: GraphNode): Read {
  const read = readers[op];
  if (!read) throw new Uncompilable(`${name} is a ${op}`);
  return read;
}

const skip: Read = (reading) => valueAt(reading, 0);

const readers: Readonly<Record<string, Read>> = {
  Identity: skip,
  StopGradient: skip,
  Conv2D: convolve,
  _FusedConv2D: (reading) => fused(reading, convolve(reading)),
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: (reading) => fused(reading, depthwise(reading)),
  MatMul: multiplyMatrix,
  _FusedMatMul: (reading) => fused(reading, multiplyMatrix(reading)),
  BiasAdd: (reading) => reading.builder.scale(placeOf(reading), { shift: channelsAt(reading, 1) }),
  Add: add,
  AddV2: add,
  Sub: (reading) => reading.builder.scale(placeOf(reading), { shift: channelsAt(reading, 1).map((number) => -number) }),
  Mul(reading) {
    const constant = constantOf(reading);
    if (constant < 0) return combine(reading, 'product');
    return reading.builder.scale(placeOf(reading, 1 - constant), { scale: channelsAt(reading, constant) });
  },
  RealDiv: (reading) => reading.builder.scale(placeOf(reading), { scale: channelsAt(reading, 1).map((number) => 1 / number) }),
  FusedBatchNorm: normalise,
  FusedBatchNormV2: normalise,
  FusedBatchNormV3: normalise,
  Relu: activate('relu'),
  Relu6: activate('relu6'),
  Sigmoid: activate('sigmoid'),
  Tanh: activate('tanh'),
  Softmax: activate('softmax'),
  MaxPool: pool('max'),
  AvgPool: pool('mean'),
  Max: reduce('max'),
  Mean: reduce('mean'),
  Pad(reading) {
    const [batch, rows, columns, channels] = pairs([...constantAt(reading, 1).values]);
    if (!channels || [...batch!, ...channels].some((lines) => lines > 0))
      throw new Uncompilable(`${reading.node.name} pads other than images`);
    return reading.builder.pad(valueAt(reading, 0), [rows![0], columns![0], rows![1], columns![1]] satisfies Padding);
  },
  Reshape: (reading) => reading.builder.reshape(placeOf(reading), [...constantAt(reading, 1).values].slice(1)),
  Squeeze: (reading) => reading.builder.reshape(placeOf(reading), [valueAt(reading, 0).shape.channels]),
  ConcatV2(reading) {
    const { node, inputs, builder } = reading;
    const last = inputs.length - 1;
    const volumes = inputs.slice(0, last).map((_, i) => valueAt(reading, i));
    return builder.join(node.name, volumes, constantAt(reading, last).values[0]!);
  },
};

const placeOf = (reading: Reading, i = 0): Place => ({ name: reading.node.name, value: valueAt(reading, i) });

function valueAt({ node, inputs }: Reading, i: number): Value {
  const input = inputs[i];
  if (!input || 'values' in input) throw new Uncompilable(`${node.name} reads a constant where there is code for rows`);
  return input;
}

function constantAt({ node, inputs }: Reading, i: number): Weight {
  const input = inputs[i];
  if (!input || !('values' in input)) throw new Uncompilable(`${node.name} computes its ${node.op === 'Reshape' ? 'shape' : 'weights'}`);
  return input;
}

const textOf = (base64: string): string => Buffer.from(base64, 'base64').toString();
const text = ({ attr }: GraphNode, name: string): string => textOf(attr?.[name]?.s ?? '');
const numbers = ({ attr }: GraphNode, name: string): number[] => (attr?.[name]?.list?.i ?? []).map(Number);
const pairs = (all: readonly number[]): [number, number][] =>
  Array.from({ length: all.length / 2 }, (_, i) => [all[2 * i]!, all[2 * i + 1]!]);

/** The window of a node, whose input is padded first where it says so line by line. */
function windowed(reading: Reading, size: readonly [number, number]): { place: Place; windows: Windows } {
  const { node, builder } = reading;
  const format = text(node, 'data_format');
  if (format !== '' && format !== 'NHWC') throw new Uncompilable(`${node.name} wants another order of axes`);
  if (numbers(node, 'dilations').some((rate) => rate !== 1)) throw new Uncompilable(`${node.name} is dilated`);
  const [, down, across] = numbers(node, 'strides') as [number, number, number, number];
  const padding = text(node, 'padding');
  const place = placeOf(reading);
  const windows = { size, strides: [down, across], same: padding === 'SAME' } as const;
  if (padding !== 'EXPLICIT') return { place, windows };
  const [, rows, columns] = pairs(numbers(node, 'explicit_paddings'));
  return { place: { ...place, value: builder.pad(place.value, [rows![0], columns![0], rows![1], columns![1]]) }, windows };
}

function convolve(reading: Reading): Value {
  const { node, builder } = reading;
  const { shape, values: kernel } = constantAt(reading, 1);
  const [height, width, channels] = shape as [number, number, number, number];
  const { place, windows } = windowed(reading, [height, width]);
  if (channels !== place.value.shape.channels) throw new Uncompilable(`${node.name} convolves groups of channels`);
  return builder.convolve(place, windows, { kernel });
}

function depthwise(reading: Reading): Value {
  const { shape, values: kernel } = constantAt(reading, 1);
  const [height, width] = shape as [number, number, number, number];
  const { place, windows } = windowed(reading, [height, width]);
  return reading.builder.depthwise(place, windows, { kernel });
}

function multiplyMatrix(reading: Reading): Value {
  const { node, builder } = reading;
  const { shape, values } = constantAt(reading, 1);
  if (node.attr?.['transpose_a']?.b) throw new Uncompilable(`${node.name} transposes its rows`);
  const kernel = node.attr?.['transpose_b']?.b ? transposed(values, shape) : values;
  return builder.dense(placeOf(reading), { kernel });
}

function transposed(values: Float32Array, [lines, columns]: readonly number[]): Float32Array {
  return values.map((_, i) => values[(i % lines!) * columns! + Math.floor(i / lines!)]!);
}

/** What else a fused node does, in its order: the bias is its third input. */
function fused(reading: Reading, value: Value): Value {
  const { node, builder } = reading;
  return (node.attr?.['fused_ops']?.list?.s ?? []).map(textOf).reduce((done, op) => {
    const place = { name: node.name, value: done };
    if (op === 'BiasAdd') return builder.scale(place, { shift: channelsAt(reading, 2, done) });
    const activation = activations[op];
    if (!activation) throw new Uncompilable(`${node.name} is fused with ${op}`);
    return builder.activate(place, activation);
  }, value);
}

const activations: Readonly<Record<string, Activation>> = { Relu: 'relu', Relu6: 'relu6', Sigmoid: 'sigmoid', Tanh: 'tanh' };

function activate(activation: Activation): Read {
  return (reading) => reading.builder.activate(placeOf(reading), activation);
}

/** Which input is a constant, where the other is none; -1: neither. */
const constantOf = ({ inputs }: Reading): number => inputs.findIndex((input) => 'values' in input);

/** A constant for each channel of what it meets, or one for all of them. */
function channelsAt(reading: Reading, i: number, { shape: { channels } } = valueAt(reading, 1 - i)): Float64Array {
  const { shape, values } = constantAt(reading, i);
  if (values.length === 1) return new Float64Array(channels).fill(values[0]!);
  if (shape.at(-1) !== values.length) throw new Uncompilable(`${reading.node.name} has a number for each pixel`);
  return Float64Array.from(values);
}

function add(reading: Reading): Value {
  const constant = constantOf(reading);
  if (constant < 0) return combine(reading, 'sum');
  return reading.builder.scale(placeOf(reading, 1 - constant), { shift: channelsAt(reading, constant) });
}

function combine(reading: Reading, kind: Combination['kind']): Value {
  const { node, inputs, builder } = reading;
  return builder.combine(
    node.name,
    kind,
    inputs.map((_, i) => valueAt(reading, i)),
  );
}

function normalise(reading: Reading): Value {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => constantAt(reading, i).values);
  const { channels } = valueAt(reading, 0).shape;
  const epsilon = reading.node.attr?.['epsilon']?.f ?? 1e-4;
  return reading.builder.scale(placeOf(reading), scalingOf({ gamma, beta, mean, variance }, epsilon, channels));
}

function pool(kind: Pool['kind']): Read {
  return (reading) => {
    const [, height, width] = numbers(reading.node, 'ksize') as [number, number, number, number];
    const { place, windows } = windowed(reading, [height, width]);
    return reading.builder.pool(place, windows, kind);
  };
}

/** Over both axes of an image. */
function reduce(kind: Pool['kind']): Read {
  return (reading) => {
    const { node, builder } = reading;
    const axes = [...constantAt(reading, 1).values].map((axis) => (axis < 0 ? axis + 4 : axis));
    if (axes.sort().join() !== '1,2') throw new Uncompilable(`${node.name} reduces other axes than those of an image`);
    return { ...builder.wholePool(placeOf(reading), kind), flat: node.attr?.['keep_dims']?.b !== true };
  };
}
