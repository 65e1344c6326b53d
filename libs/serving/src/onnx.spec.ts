import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as layers from '@tensorflow/tfjs-layers';
import { artifactsOf, makeModel } from '../testing/models.ts';
import { onnxOf } from '../testing/onnx.ts';
import { writeModelFolder } from './write-model.ts';

let root: string;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), 'sluice-onnx-'))));
afterAll(() => rm(root, { recursive: true }));

describe('a layers model as ONNX', () => {
  it.each(['logistic', 'mlp', 'cnn', 'deep'] as const)('holds the weights of %s once, and its operations in their order', async (kind) => {
    const model = await makeModel(kind, join(root, kind));
    const bytes = Buffer.from(await onnxOf(model));
    const wanted = {
      logistic: ['Gemm', 'Softmax', 'Identity'],
      mlp: ['Gemm', 'Relu', 'Gemm', 'Relu', 'Gemm', 'Softmax', 'Identity'],
      cnn: ['Reshape', 'Conv', 'Relu', 'MaxPool', 'Conv', 'Relu', 'MaxPool', 'Transpose', 'Flatten', 'Gemm', 'Softmax', 'Identity'],
      deep: ['Reshape', 'Conv', 'Conv', 'MaxPool', 'Conv', 'Conv', 'MaxPool', 'Conv', 'GlobalAveragePool', 'Flatten', 'Gemm', 'Softmax'],
    }[kind];
    let at = 0;
    for (const op of wanted) expect((at = bytes.indexOf(op, at) + op.length)).toBeGreaterThanOrEqual(op.length);
    const beside = bytes.length - (await stat(join(model.dir, 'weights.bin'))).size;
    expect([beside > 0, beside < 2000]).toEqual([true, true]);
  });

  it('is refused with the layer that has no translation', async () => {
    const model = await makeModel('logistic', join(root, 'refused'));
    const network = layers.sequential({ layers: [layers.layers.permute({ name: 'turn', dims: [1], inputShape: [30] })] });
    network.add(layers.layers.dense({ units: 2 }));
    await writeModelFolder({ dir: model.dir, manifest: model.manifest, artifacts: await artifactsOf(network) });
    await expect(onnxOf(model)).rejects.toThrow('no ONNX is written for Permute (turn)');
  });
});
