import { activations, type Activation, type Padding, type Pool } from './network.ts';
import { scalingOf, type NetworkBuilder, type Place, type Value, type Windows } from './network-builder.ts';
import type { WeightsByName } from './read-weights.ts';
import type { Layer } from './topology.ts';
import { Uncompilable } from './uncompilable.ts';

/** A layer and what it reads. */
interface Reading {
  readonly layer: Layer;
  readonly values: readonly [Value, ...Value[]];
  readonly weights: WeightsByName;
  readonly builder: NetworkBuilder;
}

type Read = (reading: Reading) => Value;

/** Adds the steps of one layer. @throws Uncompilable naming the layer when there is no code for it. */
export function readLayer(reading: Reading): Value {
  const { layer, values } = reading;
  const read = (values.length > 1 ? joiners : readers)[layer.kind];
  if (!read) throw new Uncompilable(`${layer.name} is a ${layer.kind}`);
  return read(reading);
}

const skip: Read = ({ values }) => values[0];

const readers: Readonly<Record<string, Read>> = {
  InputLayer: skip,
  Dropout: skip,
  SpatialDropout2D: skip,
  Flatten: (reading) => reading.builder.reshape(placeOf(reading), [-1]),
  Reshape: (reading) => reading.builder.reshape(placeOf(reading), reading.layer.config['target_shape'] as number[]),
  Dense: (reading) => activated(reading, reading.builder.dense(placeOf(reading), weightsOf(reading))),
  Conv2D: (reading) => activated(reading, reading.builder.convolve(placeOf(reading), windowsOf(reading), weightsOf(reading))),
  DepthwiseConv2D: (reading) =>
    activated(reading, reading.builder.depthwise(placeOf(reading), windowsOf(reading), weightsOf(reading, 'depthwise_kernel'))),
  SeparableConv2D(reading) {
    const { builder, layer } = reading;
    const value = builder.depthwise(placeOf(reading), windowsOf(reading), { kernel: weightOf(reading, 'depthwise_kernel') });
    const single = { size: [1, 1], strides: [1, 1], same: false } as const;
    return activated(reading, builder.convolve({ name: layer.name, value }, single, weightsOf(reading, 'pointwise_kernel')));
  },
  ZeroPadding2D({ builder, layer, values }) {
    const [[top, bottom], [left, right]] = layer.config['padding'] as [[number, number], [number, number]];
    return builder.pad(values[0], [top, left, bottom, right] satisfies Padding);
  },
  MaxPooling2D: pool('max'),
  AveragePooling2D: pool('mean'),
  GlobalMaxPooling2D: wholePool('max'),
  GlobalAveragePooling2D: wholePool('mean'),
  BatchNormalization: normalise,
  Activation: (reading) => activated(reading, reading.values[0]),
  ReLU(reading) {
    const { layer, builder } = reading;
    const { max_value: most, negative_slope: slope, threshold } = layer.config;
    if ((most ?? 6) !== 6 || (slope ?? 0) !== 0 || (threshold ?? 0) !== 0) throw new Uncompilable(`${layer.name} is no plain ReLU`);
    return builder.activate(placeOf(reading), most === 6 ? 'relu6' : 'relu');
  },
  Softmax: (reading) => reading.builder.activate(placeOf(reading), 'softmax'),
};

/** Layers that read several others. */
const joiners: Readonly<Record<string, Read>> = {
  Add: ({ builder, layer, values }) => builder.combine(layer.name, 'sum', values),
  Multiply: ({ builder, layer, values }) => builder.combine(layer.name, 'product', values),
  Concatenate: ({ builder, layer, values }) => builder.join(layer.name, values, Number(layer.config['axis'] ?? -1)),
};

const placeOf = ({ layer, values }: Reading): Place => ({ name: layer.name, value: values[0] });

const pair = (value: unknown): [number, number] =>
  Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number(value), Number(value)];

function windowsOf({ layer: { name, config } }: Reading): Windows {
  if (config['data_format'] === 'channels_first') throw new Uncompilable(`${name} wants another order of axes`);
  if (pair(config['dilation_rate'] ?? 1).some((rate) => rate !== 1)) throw new Uncompilable(`${name} is dilated`);
  const size = pair(config['kernel_size'] ?? config['pool_size']);
  return { size, strides: pair(config['strides'] ?? size), same: config['padding'] === 'same' };
}

function pool(kind: Pool['kind']): Read {
  return (reading) => reading.builder.pool(placeOf(reading), windowsOf(reading), kind);
}

function wholePool(kind: Pool['kind']): Read {
  return (reading) => ({
    ...reading.builder.wholePool(placeOf(reading), kind),
    flat: reading.layer.config['keepdims'] !== true,
  });
}

function activated({ builder, layer: { name, config } }: Reading, value: Value): Value {
  return builder.activate({ name, value }, activationOf(name, config['activation'] ?? 'linear'));
}

function activationOf(name: string, asked: unknown): Activation {
  const known = activations.find((each) => each === asked);
  if (!known) throw new Uncompilable(`${name} has the activation ${String(asked)}`);
  return known;
}

function weightOf({ layer, weights }: Reading, name: string): Float32Array {
  const found = weights.get(`${layer.name}/${name}`);
  if (!found) throw new Uncompilable(`${layer.name} has no ${name}`);
  return found.values;
}

function weightsOf(reading: Reading, kernel = 'kernel') {
  const bias = reading.layer.config['use_bias'] === false ? undefined : weightOf(reading, 'bias');
  return { kernel: weightOf(reading, kernel), bias };
}

/** At inference a scale and a shift for each channel. */
function normalise(reading: Reading): Value {
  const { builder, layer, values, weights } = reading;
  const of = (name: string): Float32Array | undefined => weights.get(`${layer.name}/${name}`)?.values;
  const moments = { gamma: of('gamma'), beta: of('beta'), mean: of('moving_mean'), variance: of('moving_variance') };
  return builder.scale(placeOf(reading), scalingOf(moments, Number(layer.config['epsilon'] ?? 1e-3), values[0].shape.channels));
}
