import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { backendOf, openBackend, useBackend, type BackendName } from '../src/backend.ts';
import { loadModel } from '../src/model-folder.ts';
import { openExecutor } from '../src/open-executor.ts';
import type { TestModel } from './models.ts';

/** Rows in, outputs out, in the calling thread. */
export interface RawPredict {
  /** To be awaited before the first `run` after another one ran: TensorFlow.js has one backend at a time. */
  ready(): Promise<void>;
  run(rows: Float32Array, n: number): Float32Array;
  dispose(): void;
}

/** What anyone would write: `predict` over the whole batch. The yardstick of benchmarks. */
export async function openRaw(model: TestModel, backend: BackendName): Promise<RawPredict> {
  const state = await openBackend(backend);
  if (!state.ready) throw new Error(state.why);
  const ready = (): Promise<void> => useBackend(backend);
  await ready();
  const { artifacts, manifest } = await loadModel(model.dir, [model.schema]);
  const network = await layers.loadLayersModel({ load: () => Promise.resolve(artifacts) });
  return {
    ready,
    run(rows, n) {
      const input = tf.tensor(rows, [n, ...manifest.input.shape]);
      const output = network.predict(input, { batchSize: n }) as tf.Tensor;
      const scores = output.dataSync<'float32'>();
      tf.dispose([input, output]);
      return scores;
    },
    dispose: () => void network.dispose(),
  };
}

/** The executor that calibration takes for batches of that size: what the worker path runs, without the path. */
export async function openAlone(model: TestModel, maxBatch: number): Promise<RawPredict & { readonly name: string }> {
  const folder = await loadModel(model.dir, [model.schema]);
  const { executor, plan } = await openExecutor(folder, { backend: 'auto', requireGpu: false, maxBatch, calibration: 120 });
  return {
    name: executor.name,
    ready: () => useBackend(plan.tensor && plan.tensor !== 'webgpu' ? backendOf(plan.tensor) : 'wasm'),
    run: (rows, n) => executor.run(rows, n),
    dispose: () => executor.dispose(),
  };
}
