import { SluiceError } from '@sluice/domain';
import { openBackend, useBackend, type LocalName, type TensorName } from './backend.ts';
import { disagreement } from './calibrate.ts';
import { checkOutputs } from './check-outputs.ts';
import type { Executor } from './executor.ts';
import { loadFrozen } from './frozen/frozen-executor.ts';
import { messageOf } from './message.ts';
import type { ModelFolder } from './model-folder.ts';
import { sampleRows } from './sample-rows.ts';
import { loadTensorModel, TensorExecutor } from './tensor-executor.ts';
import { WebgpuExecutor, type WebgpuHost } from './webgpu-executor.ts';
import { joinBuffers } from './weights.ts';

/** Makes a backend that always loads the one in use, and loads a model onto it. */
export async function openOn(name: 'cpu' | 'wasm', folder: ModelFolder): Promise<Executor> {
  const state = await openBackend(name);
  if (!state.ready) throw new SluiceError('SLUICE_MODEL_INVALID', `The backend ${name} does not load: ${state.why}`);
  await useBackend(name);
  return loadTensor(folder, name);
}

/** Loads a model onto the backend in use. @throws SluiceError SLUICE_MODEL_INVALID naming file and backend. */
export async function loadTensor(folder: ModelFolder, name: LocalName): Promise<TensorExecutor> {
  try {
    const model = await (name === 'frozen' ? loadFrozen(folder) : loadTensorModel(folder.manifest.format, folder.artifacts));
    return new TensorExecutor({ name, model, manifest: folder.manifest, bytes: joinBuffers(folder.artifacts.weightData ?? []).length });
  } catch (cause) {
    throw unloadable(folder, name, cause);
  }
}

/**
 * Loads a model into a WebGPU process, and holds it against WebAssembly: drivers compile, and round, as they like.
 * @throws SluiceError SLUICE_MODEL_INVALID when it does not load, or differs, naming the row.
 */
export async function loadWebgpu(folder: ModelFolder, host: WebgpuHost): Promise<WebgpuExecutor> {
  let executor: WebgpuExecutor;
  try {
    executor = new WebgpuExecutor(host, folder);
  } catch (cause) {
    throw unloadable(folder, 'webgpu', cause);
  }
  const rows = sampleRows(folder.manifest, 2);
  checkOutputs(folder.manifest, executor, { rows, n: 2 });
  const scores = executor.run(rows, 2);
  const wasm = await openOn('wasm', folder);
  const fault = disagreement(scores, wasm.run(rows, 2), folder.manifest.labels.length);
  wasm.dispose();
  if (fault) throw new SluiceError('SLUICE_MODEL_INVALID', `webgpu disagrees with wasm on ${folder.manifest.model}, ${fault}`);
  return executor;
}

function unloadable({ dir }: ModelFolder, name: TensorName, cause: unknown): SluiceError {
  return new SluiceError('SLUICE_MODEL_INVALID', `${dir}/model.json does not load on ${name}: ${messageOf(cause)}`, { cause });
}
