import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { nativePackage } from '../native-package.ts';
import type { ModelFolder } from '../model-folder.ts';
import type { TensorModel } from '../tensor-executor.ts';
import { freeze } from './freeze.ts';

interface SavedModel {
  predict(input: tf.Tensor): tf.Tensor | tf.NamedTensorMap;
  dispose(): void;
}

/**
 * Loads a layers model as one frozen graph of the native binding, which must be the backend in use.
 * @throws Untranslatable, or what TensorFlow says of the graph.
 */
export async function loadFrozen({ manifest, artifacts }: ModelFolder): Promise<TensorModel> {
  if (manifest.format !== 'layers') throw new Error('only layers models are frozen');
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  const model = await loadLayersModel({ load: () => Promise.resolve(artifacts) });
  const bytes = freeze(model, manifest);
  model.dispose();
  const dir = await mkdtemp(join(tmpdir(), 'sluice-frozen-'));
  try {
    await writeFile(join(dir, 'saved_model.pb'), bytes);
    const { node } = nativePackage() as { node: { loadSavedModel(path: string): Promise<SavedModel> } };
    const saved = await node.loadSavedModel(dir);
    return { call: (input) => saved.predict(input), dispose: () => saved.dispose() };
  } finally {
    await rm(dir, { recursive: true });
  }
}
