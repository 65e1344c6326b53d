import type { Graph } from './graph.ts';

/** A layer on its way into a graph: its settings, its weights, the nodes it reads. */
export interface LayerParts {
  readonly graph: Graph;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly string[];
  /** Shape of the first input without the batch dimension. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** In the order in which the layer holds them. */
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array }[];
}

/** Thrown by a layer that has no translation; the model is then run eagerly. */
export class Untranslatable extends Error {}

type Translate = (parts: LayerParts) => string;

const pass: Translate = ({ inputs }) => inputs[0]!;

const activations: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  softmax: 'Softmax',
  elu: 'Elu',
};

function activate(graph: Graph, input: string, name: unknown): string {
  if (name === 'linear' || name === undefined || name === null) return input;
  const op = activations[String(name)];
  if (op === undefined) throw new Untranslatable(`activation ${String(name)}`);
  return graph.float(op, [input]);
}

function weight({ graph, weights }: LayerParts, suffix: string): string | undefined {
  const found = weights.find(({ name }) => name.split('/').at(-1)!.replace(/_\d+$/, '') === suffix);
  return found && graph.constant(found.values, found.shape);
}

/** Bias, where the layer has one, then activation. */
function finish(parts: LayerParts, output: string): string {
  const bias = weight(parts, 'bias');
  return activate(parts.graph, bias ? parts.graph.float('BiasAdd', [output, bias]) : output, parts.config['activation']);
}

function window({ config }: LayerParts, strides: unknown = config['strides']) {
  if (config['dataFormat'] === 'channelsFirst') throw new Untranslatable('channels first');
  const [down, across] = pair(strides);
  return { strides: { ints: [1, down, across, 1] }, padding: { text: String(config['padding']).toUpperCase() } };
}

const pair = (value: unknown): [number, number] =>
  Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number(value), Number(value)];
const dilated = ({ config }: LayerParts) => ({ dilations: { ints: [1, ...pair(config['dilationRate'] ?? 1), 1] } });

const pool =
  (op: string): Translate =>
  (parts) =>
    parts.graph.float(op, parts.inputs, { ...window(parts), ksize: { ints: [1, ...pair(parts.config['poolSize']), 1] } });

const reduce =
  (op: string): Translate =>
  ({ graph, inputs }) =>
    graph.float(op, [inputs[0]!, graph.constant(Int32Array.of(1, 2), [2])], { Tidx: { type: 'int32' }, keep_dims: { flag: false } });

const reshape: Translate = ({ graph, inputs, outputShape }) =>
  graph.float('Reshape', [inputs[0]!, graph.constant(Int32Array.of(-1, ...outputShape), [outputShape.length + 1])], {
    Tshape: { type: 'int32' },
  });

const fold =
  (op: string): Translate =>
  ({ graph, inputs }) =>
    inputs.reduce((left, right) => graph.float(op, [left, right]));

/** Layers by class name, each as the operations that it is at inference. */
export const translations: Readonly<Record<string, Translate>> = {
  InputLayer: pass,
  Dropout: pass,
  SpatialDropout2D: pass,
  Activation: ({ graph, inputs, config }) => activate(graph, inputs[0]!, config['activation']),
  ReLU: ({ graph, inputs, config }) => {
    const most = config['maxValue'] ?? undefined;
    if (most !== undefined && most !== 6) throw new Untranslatable(`ReLU up to ${String(most)}`);
    return graph.float(most === 6 ? 'Relu6' : 'Relu', inputs);
  },
  Flatten: reshape,
  Reshape: reshape,
  Dense: (parts) => {
    if (parts.inputShape.length !== 1) throw new Untranslatable('a dense layer over more than one axis');
    const no = { flag: false };
    return finish(parts, parts.graph.float('MatMul', [parts.inputs[0]!, weight(parts, 'kernel')!], { transpose_a: no, transpose_b: no }));
  },
  Conv2D: (parts) =>
    finish(parts, parts.graph.float('Conv2D', [parts.inputs[0]!, weight(parts, 'kernel')!], { ...window(parts), ...dilated(parts) })),
  DepthwiseConv2D: (parts) => finish(parts, depthwise(parts)),
  SeparableConv2D: (parts) => {
    const once = { strides: { ints: [1, 1, 1, 1] }, padding: { text: 'VALID' } };
    return finish(parts, parts.graph.float('Conv2D', [depthwise(parts), weight(parts, 'pointwise_kernel')!], once));
  },
  MaxPooling2D: pool('MaxPool'),
  AveragePooling2D: pool('AvgPool'),
  GlobalAveragePooling2D: reduce('Mean'),
  GlobalMaxPooling2D: reduce('Max'),
  BatchNormalization: normalise,
  ZeroPadding2D: ({ graph, inputs, config }) => {
    const [[top, bottom], [left, right]] = config['padding'] as [[number, number], [number, number]];
    const paddings = graph.constant(Int32Array.of(0, 0, top, bottom, left, right, 0, 0), [4, 2]);
    return graph.float('Pad', [inputs[0]!, paddings], { Tpaddings: { type: 'int32' } });
  },
  Add: fold('AddV2'),
  Multiply: fold('Mul'),
  Concatenate: ({ graph, inputs, config, outputShape }) => {
    const axis = Number(config['axis'] ?? -1);
    const at = graph.constant(Int32Array.of(axis < 0 ? axis + outputShape.length + 1 : axis), []);
    return graph.node({
      op: 'ConcatV2',
      inputs: [...inputs, at],
      attributes: { T: { type: 'float' }, N: { int: inputs.length }, Tidx: { type: 'int32' } },
    });
  },
};

function depthwise(parts: LayerParts): string {
  const kernel = weight(parts, 'depthwise_kernel') ?? weight(parts, 'depthwise');
  if (!kernel) throw new Untranslatable('a depthwise convolution without its kernel');
  return parts.graph.float('DepthwiseConv2dNative', [parts.inputs[0]!, kernel], { ...window(parts), ...dilated(parts) });
}

/** Scale and offset, computed here once: what is left of a batch normalisation at inference. */
function normalise(parts: LayerParts): string {
  const { graph, inputs, config, weights, inputShape } = parts;
  const axis = Number(config['axis'] ?? -1);
  if (axis !== -1 && axis !== inputShape.length) throw new Untranslatable('a batch normalisation of another axis than the last');
  const part = (name: string) => weights.find((each) => each.name.split('/').at(-1)!.startsWith(name))?.values;
  const [mean, variance] = [part('moving_mean')!, part('moving_variance')!];
  const scale = mean.map((_, i) => (part('gamma')?.[i] ?? 1) / Math.sqrt(variance[i]! + Number(config['epsilon'])));
  const offset = mean.map((value, i) => (part('beta')?.[i] ?? 0) - value * scale[i]!);
  const scaled = graph.float('Mul', [inputs[0]!, graph.constant(scale, [scale.length])]);
  return graph.float('AddV2', [scaled, graph.constant(offset, [offset.length])]);
}
