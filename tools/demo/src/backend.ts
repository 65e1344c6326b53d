import { createRequire } from 'node:module';
import type * as tfCore from '@tensorflow/tfjs-core';
import type * as tfLayers from '@tensorflow/tfjs-layers';
import { registerConvolutionGradient } from './wasm-gradient.ts';

/** TensorFlow.js with its layers, whichever package it came from. */
export type Tf = typeof tfCore & typeof tfLayers;

export type BackendChoice = 'auto' | 'native' | 'wasm';

export interface TrainingBackend {
  readonly tf: Tf;
  readonly name: 'native' | 'wasm';
  /** Why this one and not the other, for the log. */
  readonly why: string;
}

/**
 * Opens TensorFlow.js for training: the native binding where it loads (several times faster on convolutions), else WASM, which is
 * the reference for retraining because its arithmetic is the same on every machine.
 * The environment variable SLUICE_TFJS_NODE may name a folder of `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node` built elsewhere.
 */
export async function openTrainingBackend(choice: BackendChoice = 'auto'): Promise<TrainingBackend> {
  if (choice === 'wasm') return { ...(await openWasm()), why: 'asked for' };
  try {
    return { tf: await openNative(), name: 'native', why: choice === 'native' ? 'asked for' : 'the native binding loads' };
  } catch (error) {
    if (choice === 'native') throw error;
    return { ...(await openWasm()), why: 'the native binding does not load here' };
  }
}

async function openNative(): Promise<Tf> {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const load = createRequire(import.meta.url);
  const tf = load(process.env['SLUICE_TFJS_NODE'] ?? '@tensorflow/tfjs-node-gpu') as Tf;
  await tf.setBackend('tensorflow');
  return tf;
}

async function openWasm(): Promise<{ tf: Tf; name: 'wasm' }> {
  const [core, layers] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@tensorflow/tfjs-layers'),
    import('@tensorflow/tfjs-backend-wasm'),
  ]);
  registerConvolutionGradient(core);
  await core.setBackend('wasm');
  await core.ready();
  return { tf: { ...core, ...layers } as Tf, name: 'wasm' };
}
