import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { graphArtifacts } from '../testing/graph.ts';
import { makeModel, type Kind, type TestModel } from '../testing/models.ts';
import { disagreement } from './calibrate.ts';
import type { Executor } from './executor.ts';
import { loadModel, type ModelFolder } from './model-folder.ts';
import { openExecutor, type BackendChoice } from './open-executor.ts';
import { openPlanned } from './open-planned.ts';

// The tests are about a machine without the native binding, also where it was built.
process.env['SLUICE_TFJS_NODE'] = '/nowhere';

const options = { requireGpu: false, maxBatch: 32, calibration: 20 };

describe('executors', () => {
  let root: string;
  const models = new Map<Kind, TestModel>();
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-executors-'));
    for (const kind of ['logistic', 'mlp', 'cnn'] as const) models.set(kind, await makeModel(kind, join(root, kind)));
  });
  afterAll(() => rm(root, { recursive: true }));

  async function open(kind: Kind, backend: BackendChoice): ReturnType<typeof openExecutor> {
    const model = models.get(kind)!;
    return openExecutor(await loadModel(model.dir, [model.schema]), { ...options, backend });
  }

  it.each<[Kind, BackendChoice[]]>([
    ['logistic', ['wasm', 'compiled', 'auto']],
    ['mlp', ['wasm', 'compiled', 'auto']],
    ['cnn', ['wasm', 'compiled', 'auto']],
  ])('%s answers alike on every one of them', async (kind, others) => {
    const rows = rowsOf(models.get(kind)!, kind === 'cnn' ? 4 : 20);
    const n = rows.length / models.get(kind)!.row(0).length;
    const oracle = runOnce((await open(kind, 'cpu')).executor, rows, n);
    for (const backend of others) {
      const scores = runOnce((await open(kind, backend)).executor, rows, n);
      const apart = Math.max(...scores.map((score, i) => Math.abs(score - oracle[i]!)));
      expect({ backend, apart, labels: argmax(scores, n) }).toEqual({ backend, apart: expect.any(Number), labels: argmax(oracle, n) });
      expect(apart).toBeLessThanOrEqual(1e-5);
    }
  });

  it.each([false, true])('run graph models as well as layers models, compiled where there is code for them (fused: %s)', async (fused) => {
    const model = models.get('cnn')!;
    const folder = await loadModel(model.dir, [model.schema]);
    const network = await layers.loadLayersModel({ load: () => Promise.resolve(folder.artifacts) });
    const artifacts = graphArtifacts(network, folder.manifest.input.shape, { fused });
    const graph: ModelFolder = { ...folder, manifest: { ...folder.manifest, format: 'graph' }, artifacts };
    const rows = rowsOf(model, 6);
    const expected = runOnce((await open('cnn', 'wasm')).executor, rows, 6);
    for (const backend of ['wasm', 'compiled', 'auto'] as const) {
      const opened = await openExecutor(graph, { ...options, backend });
      expect(opened.table.map(({ executor }) => executor)).toContain(backend === 'auto' ? 'compiled' : backend);
      expect(disagreement(opened.executor.run(rows, 6), Float32Array.from(expected), 10)).toBeUndefined();
      opened.executor.dispose();
    }
  });

  it('leave no tensor behind, neither after a batch nor after they are disposed of', async () => {
    const before = tf.memory().numTensors;
    const { executor } = await open('cnn', 'wasm');
    const loaded = tf.memory().numTensors;
    const rows = rowsOf(models.get('cnn')!, 3);
    for (let i = 0; i < 5; i++) executor.run(rows, 3);
    expect(tf.memory().numTensors).toBe(loaded);
    executor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are opened again from a plan without timing', async () => {
    const model = models.get('mlp')!;
    const folder = await loadModel(model.dir, [model.schema]);
    for (const plan of [
      { tensor: 'wasm', compiledUpTo: 0 },
      { tensor: 'wasm', compiledUpTo: 4 },
      { tensor: undefined, compiledUpTo: 32 },
    ] as const) {
      const { executor } = await openPlanned(folder, { plan, budget: 20 });
      expect(executor.name).toBe(plan.tensor ? (plan.compiledUpTo ? 'compiled+wasm' : 'wasm') : 'compiled');
      expect(executor.run(rowsOf(model, 8), 8)).toHaveLength(16);
      executor.dispose();
    }
  });

  it('say which was taken and why', async () => {
    const opened = await open('logistic', 'auto');
    expect(opened.why).toMatch(/compiled at .*: 1 row.* us compiled, .* us on wasm.*; native did not load: Cannot find module/);
    expect(opened.gpu).toBe(false);
    opened.executor.dispose();
  });

  it('refuse to run without the GPU or the backend that was asked for', async () => {
    const model = models.get('mlp')!;
    const folder = await loadModel(model.dir, [model.schema]);
    await expect(openExecutor(folder, { ...options, backend: 'auto', requireGpu: true })).rejects.toMatchObject({
      code: 'SLUICE_GPU_MISSING',
    });
    await expect(openExecutor(folder, { ...options, backend: 'native' })).rejects.toMatchObject({ code: 'SLUICE_CONFIG_INVALID' });
  });

  it('refuse a model that does not answer with probabilities of its labels', async () => {
    const model = models.get('mlp')!;
    const folder = await loadModel(model.dir, [model.schema]);
    const more = { ...folder, manifest: { ...folder.manifest, labels: ['a', 'b', 'c'] } };
    await expect(openExecutor(more, { ...options, backend: 'wasm' })).rejects.toMatchObject({
      code: 'SLUICE_MODEL_INVALID',
      message: expect.stringContaining('shape [2, 2], expected [2, 3]'),
    });
  });
});

function rowsOf(model: TestModel, n: number): Float32Array {
  return Float32Array.from(Array.from({ length: n }, (_, i) => [...model.row(i)]).flat());
}

function runOnce(executor: Executor, rows: Float32Array, n: number): number[] {
  const scores = [...executor.run(rows, n)];
  executor.dispose();
  return scores;
}

function argmax(scores: readonly number[], n: number): number[] {
  const labels = scores.length / n;
  return Array.from({ length: n }, (_, row) => {
    const outputs = scores.slice(row * labels, (row + 1) * labels);
    return outputs.indexOf(Math.max(...outputs));
  });
}
