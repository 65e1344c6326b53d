import * as layers from '@tensorflow/tfjs-layers';
import { Message } from '../src/frozen/protobuf.ts';
import { loadModel } from '../src/model-folder.ts';
import type { TestModel } from './models.ts';

/** Field numbers and values of onnx/onnx.proto3; operations as of opset 13. */
const float = 1;
const int64 = 7;

/** Names of the one input and the one output. */
export const onnxEnds = { input: 'rows', output: 'scores' } as const;

/** A graph under construction, channels first, as ONNX has it; `last` is the output of the latest node, `shape` its shape without the batch. */
interface Net {
  readonly graph: Message;
  last: string;
  shape: readonly number[];
  count: number;
}

type Layer = layers.LayersModel['layers'][number];

/**
 * The layers model of a folder as the bytes of an ONNX file, for a runtime to be measured beside ours: the same weights, the same arithmetic.
 * Rows come in as our models take them, channels last.
 * @throws Error naming a layer that is not written here.
 */
export async function onnxOf(model: TestModel): Promise<Uint8Array> {
  const { artifacts, manifest } = await loadModel(model.dir, [model.schema]);
  const network = await layers.loadLayersModel({ load: () => Promise.resolve(artifacts) });
  const net: Net = { graph: new Message(), last: onnxEnds.input, shape: manifest.input.shape, count: 0 };
  if (net.shape.length === 3) channelsFirst(net);
  network.layers.forEach((layer) => write(net, layer));
  node(net, 'Identity', [net.last], { output: onnxEnds.output });
  network.dispose();
  const graph = net.graph
    .text(2, 'model')
    .message(11, valueInfo(onnxEnds.input, manifest.input.shape))
    .message(12, valueInfo(onnxEnds.output, [manifest.labels.length]));
  return new Message().integer(1, 8).message(7, graph).message(8, new Message().text(1, '').integer(2, 13)).encode();
}

/** Moving one channel is no work, only another shape. */
function channelsFirst(net: Net): void {
  const [height, width, channels] = net.shape as [number, number, number];
  if (channels === 1) node(net, 'Reshape', [net.last, integers(net, [-1, 1, height, width])], {});
  else node(net, 'Transpose', [net.last], { ints: { perm: [0, 3, 1, 2] } });
}

function write(net: Net, layer: Layer): void {
  const config = layer.getConfig();
  const kind = layer.getClassName();
  if (kind === 'InputLayer' || kind === 'Dropout') return;
  const before = net.shape;
  net.shape = (layer.outputShape as number[]).slice(1);
  if (kind === 'Dense') return dense(net, layer);
  if (kind === 'Conv2D' && config['padding'] === 'valid') return convolution(net, layer);
  if (kind === 'MaxPooling2D' && config['padding'] === 'valid')
    return node(net, 'MaxPool', [net.last], {
      ints: { kernel_shape: config['poolSize'] as number[], strides: config['strides'] as number[] },
    });
  if (kind === 'GlobalAveragePooling2D') {
    node(net, 'GlobalAveragePool', [net.last], {});
    return node(net, 'Flatten', [net.last], {});
  }
  if (kind !== 'Flatten') throw new Error(`no ONNX is written for ${kind} (${layer.name})`);
  node(net, 'Transpose', [net.last], { ints: { perm: [0, ...before.slice(0, -1).map((_, i) => i + 2), 1] } });
  node(net, 'Flatten', [net.last], {});
}

function dense(net: Net, layer: Layer): void {
  node(net, 'Gemm', [net.last, ...layer.getWeights().map((weight) => constant(net, weight.dataSync<'float32'>(), weight.shape))], {});
  activate(net, layer);
}

/** Kernels go from height, width, in, out to out, in, height, width. */
function convolution(net: Net, layer: Layer): void {
  const [kernel, bias] = layer.getWeights();
  const [height, width, from, to] = kernel!.shape as [number, number, number, number];
  const values = kernel!.dataSync<'float32'>();
  const moved = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const [out, into, x] = [i % to, Math.floor(i / to) % from, Math.floor(i / (to * from)) % width];
    const y = Math.floor(i / (to * from * width));
    moved[((out * from + into) * height + y) * width + x] = values[i]!;
  }
  const weights = [constant(net, moved, [to, from, height, width]), constant(net, bias!.dataSync<'float32'>(), [to])];
  node(net, 'Conv', [net.last, ...weights], { ints: { strides: layer.getConfig()['strides'] as number[] } });
  activate(net, layer);
}

function activate(net: Net, layer: Layer): void {
  const name = layer.getConfig()['activation'];
  if (name === 'relu') node(net, 'Relu', [net.last], {});
  else if (name === 'softmax') node(net, 'Softmax', [net.last], {});
  else if (name !== 'linear') throw new Error(`no ONNX is written for the activation ${String(name)} (${layer.name})`);
}

function node(
  net: Net,
  op: string,
  inputs: readonly string[],
  { output, ints = {} }: { output?: string; ints?: Record<string, readonly number[]> },
): void {
  const name = output ?? `n${net.count++}`;
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  message.text(2, name).text(4, op);
  for (const [key, values] of Object.entries(ints)) {
    const attribute = new Message().text(1, key);
    for (const value of values) attribute.integer(8, value);
    message.message(5, attribute.integer(20, 7));
  }
  net.graph.message(1, message);
  net.last = name;
}

function constant(net: Net, values: Float32Array, shape: readonly number[]): string {
  return initializer(net, { type: float, shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
}

function integers(net: Net, values: readonly number[]): string {
  return initializer(net, { type: int64, shape: [values.length], bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) });
}

function initializer(net: Net, { type, shape, bytes }: { type: number; shape: readonly number[]; bytes: Uint8Array }): string {
  const name = `n${net.count++}`;
  const tensor = new Message();
  for (const size of shape) tensor.integer(1, size);
  net.graph.message(5, tensor.integer(2, type).text(8, name).bytes(9, bytes));
  return name;
}

function valueInfo(name: string, shape: readonly number[]): Message {
  const sizes = new Message().message(1, new Message().text(2, 'n'));
  for (const size of shape) sizes.message(1, new Message().integer(1, size));
  return new Message().text(1, name).message(2, new Message().message(1, new Message().integer(1, float).message(2, sizes)));
}
