import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { openBackend, useBackend, type BackendName } from '../src/backend.ts';
import { loadModel } from '../src/model-folder.ts';
import type { TestModel } from './models.ts';

/** What anyone would write: rows in, `predict` over the whole batch, outputs out. The yardstick of benchmarks. */
export interface RawPredict {
  run(rows: Float32Array, n: number): Float32Array;
  dispose(): void;
}

export async function openRaw(model: TestModel, backend: BackendName): Promise<RawPredict> {
  const state = await openBackend(backend);
  if (!state.ready) throw new Error(state.why);
  await useBackend(backend);
  const { artifacts, manifest } = await loadModel(model.dir, [model.schema]);
  const network = await layers.loadLayersModel({ load: () => Promise.resolve(artifacts) });
  return {
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
