import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '@sluice/domain';
import * as tf from '@tensorflow/tfjs-core';
import { messageOf } from './message.ts';
import { nativeName, nativePackage } from './native-package.ts';

/** The TensorFlow.js backends a tensor executor may run on. */
export type BackendName = 'wasm' | 'native' | 'cpu';

/** Ways to run a model on one of them in this thread: `frozen` is one native call a batch instead of one an operation. */
export type LocalName = BackendName | 'frozen';

/** All ways to run a model through TensorFlow.js. `webgpu` has a process of its own. */
export type TensorName = LocalName | 'webgpu';

/** The backend that a way needs. */
export const backendOf = (name: LocalName): BackendName => (name === 'frozen' ? 'native' : name);

/** What came of asking for a backend: ready, or the reason why not. */
export type BackendState =
  | { readonly name: BackendName; readonly ready: true; readonly gpu: boolean }
  | { readonly name: BackendName; readonly ready: false; readonly why: string };

const wasmFile = 'tfjs-backend-wasm-simd.wasm';

/** Loads a backend into this thread. Never throws: a backend that does not load is a fact to report. */
export async function openBackend(name: BackendName): Promise<BackendState> {
  // Silences TensorFlow.js's advertisement for its native package, and its checks of every value.
  tf.enableProdMode();
  try {
    return { name, ready: true, gpu: await loaders[name]() };
  } catch (error) {
    return { name, ready: false, why: messageOf(error) };
  }
}

/** Makes a backend that is ready the one that the next tensors live on. */
export async function useBackend(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(registered[name])))
    throw new SluiceError('SLUICE_MODEL_INVALID', `TensorFlow.js backend ${name} does not start.`);
}

const registered: Record<BackendName, string> = { wasm: 'wasm', native: 'tensorflow', cpu: 'cpu' };

const loaders: Record<BackendName, () => Promise<boolean>> = {
  async wasm() {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(`${wasmFolder()}/`);
    await useBackend('wasm');
    return false;
  },
  async native() {
    if (!(nativePackage() as { node?: unknown }).node) throw new Error(`${nativeName} loaded without its binding`);
    await useBackend('native');
    return (tf.backend() as unknown as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  },
  async cpu() {
    await import('@tensorflow/tfjs-backend-cpu');
    await useBackend('cpu');
    return false;
  },
};

/** The folder of the .wasm files: beside a bundle when the image ships them there, else in the installed package. */
function wasmFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  if (existsSync(join(here, wasmFile))) return here;
  return dirname(createRequire(import.meta.url).resolve(`@tensorflow/tfjs-backend-wasm/dist/${wasmFile}`));
}
