import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { makeModel } from '../../testing/models.ts';
import { nativePackage } from '../native-package.ts';
import { loadModel } from '../model-folder.ts';
import { openExecutor } from '../open-executor.ts';
import { freeze } from './freeze.ts';
import { Untranslatable } from './layers.ts';
import { Message } from './protobuf.ts';

/** Not a reason to fail: the binding is optional. */
function nativeLoads(): boolean {
  try {
    nativePackage();
    return true;
  } catch {
    return false;
  }
}

const manifest = { input: { shape: [8, 8, 2], features: [] }, labels: ['a', 'b'] };

/** What stands in the fields of an encoded message, by their numbers. */
function fields(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const found = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = varint();
    const value = (tag & 7) === 0 ? number : bytes.subarray(at, (at += number));
    found.set(tag >> 3, [...(found.get(tag >> 3) ?? []), value]);
  }
  return found;
}

/** Operations of a SavedModel in their order: meta graph, graph, nodes, op. */
function opsOf(saved: Uint8Array): string[] {
  const inner = (bytes: Uint8Array, field: number): Uint8Array[] => fields(bytes).get(field) as Uint8Array[];
  const nodes = inner(inner(inner(saved, 2)[0]!, 2)[0]!, 1);
  return nodes.map((node) => Buffer.from(inner(node, 2)[0]!).toString());
}

describe('a message', () => {
  it('is written as protocol buffers are', () => {
    const message = new Message().integer(1, 150).text(2, 'testing').message(3, new Message().integer(1, -1));
    expect(Buffer.from(message.encode()).toString('hex')).toBe('089601120774657374696e671a0b08ffffffffffffffffff01');
  });
});

describe('a frozen model', () => {
  beforeAll(async () => {
    tf.enableProdMode();
    await tf.setBackend('cpu');
  });

  it('holds the operations of its layers, what does nothing at inference left out', () => {
    const { conv2d, maxPooling2d, dropout, flatten, dense, batchNormalization, depthwiseConv2d, add, zeroPadding2d, reLU } = layers.layers;
    const input = layers.input({ shape: [8, 8, 2] });
    const first = conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(input) as layers.SymbolicTensor;
    const normal = batchNormalization({}).apply(first) as layers.SymbolicTensor;
    const sum = add().apply([normal, first]) as layers.SymbolicTensor;
    const rest = [zeroPadding2d({ padding: 1 }), depthwiseConv2d({ kernelSize: 3 }), reLU({ maxValue: 6 }), maxPooling2d({ poolSize: 2 })];
    const head = [dropout({ rate: 0.5 }), flatten(), dense({ units: 2, activation: 'softmax' })];
    const output = [...rest, ...head].reduce((from, layer) => layer.apply(from) as layers.SymbolicTensor, sum);
    const ops = opsOf(freeze(layers.model({ inputs: input, outputs: output }), manifest)).filter((op) => op !== 'Const');
    const expected = [
      'Placeholder',
      'Conv2D',
      'BiasAdd',
      'Relu',
      'Mul',
      'AddV2',
      'AddV2',
      'Pad',
      'DepthwiseConv2dNative',
      'BiasAdd',
      'Relu6',
    ];
    expect(ops).toEqual([...expected, 'MaxPool', 'Reshape', 'MatMul', 'BiasAdd', 'Softmax']);
  });

  it('is refused with the name of the first layer that has no translation', () => {
    const model = layers.sequential({ layers: [layers.layers.upSampling2d({ name: 'larger', inputShape: [8, 8, 2] })] });
    expect(() => freeze(model, manifest)).toThrow(new Untranslatable('larger is a UpSampling2D'));
  });

  (nativeLoads() ? it : it.skip)('answers as the oracle does (needs the native binding: npm run setup:native)', async () => {
    const root = await mkdtemp(join(tmpdir(), 'sluice-frozen-'));
    const options = { requireGpu: false, maxBatch: 8, calibration: 20 };
    for (const kind of ['mlp', 'cnn'] as const) {
      const model = await makeModel(kind, join(root, kind));
      const folder = await loadModel(model.dir, [model.schema]);
      const rows = Float32Array.from([1, 2, 3].flatMap((seed) => [...model.row(seed)]));
      const [frozen, oracle] = [
        await openExecutor(folder, { ...options, backend: 'frozen' }),
        await openExecutor(folder, { ...options, backend: 'cpu' }),
      ];
      const expected = oracle.executor.run(rows, 3);
      await tf.setBackend('tensorflow');
      frozen.executor.run(rows, 3).forEach((score, i) => expect(score).toBeCloseTo(expected[i]!, 5));
    }
    await rm(root, { recursive: true });
  });
});
