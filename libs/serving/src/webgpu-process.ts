/**
 * Entry of the process that a WebGPU executor computes in: Dawn ends its process when that is to give up a computation under way, and may crash
 * with a driver. A file of its own, in sources and in bundles, beside the module that starts it.
 */
import { pathToFileURL } from 'node:url';
import type { Manifest } from '@sluice/domain';
import * as tf from '@tensorflow/tfjs-core';
import { messageOf } from './message.ts';
import { loadTensorModel, predict, type TensorModel } from './tensor-executor.ts';
import type { FromWebgpu, ToWebgpu, WebgpuAdapter, WebgpuStart } from './webgpu-executor.ts';
import { webgpuNames, webgpuRequire } from './webgpu-package.ts';

/** The parts of the WebGPU API that are used here; its types would be a dependency. */
interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<{ readonly info: AdapterInfo } | null>;
}
interface AdapterInfo {
  readonly vendor: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}
/** Loses its device when the driver fails or the GPU goes. */
interface WebgpuBackend {
  readonly device: { readonly lost: Promise<{ readonly message: string }> };
}
interface Dawn {
  create(flags: readonly string[]): Gpu;
  readonly globals: object;
}

let loaded: { readonly model: TensorModel; readonly manifest: Manifest } | undefined;

/** At once, whatever the GPU does: Dawn has no other end while it computes. */
const end = (): void => void process.kill(process.pid, 'SIGKILL');
const send = (message: WebgpuStart | FromWebgpu, sent = (): void => undefined): void => void process.send!(message, sent);

// Ctrl-C reaches every process of a terminal: this one ends with the one that it works for.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', end);
// Silences TensorFlow.js's advertisement for its native package, and its checks of every value.
tf.enableProdMode();
try {
  const { adapter, lost } = await startWebgpu();
  void lost.then((why) => send({ lost: why }, end));
  process.on('message', (message: ToWebgpu) => void answer(message));
  send({ ready: true, ...adapter });
} catch (thrown) {
  send({ ready: false, why: messageOf(thrown) }, end);
}

async function answer(message: ToWebgpu): Promise<void> {
  try {
    const scores = message.kind === 'load' ? await load(message) : await run(message);
    send({ scores, tensors: tf.memory().numTensors, bytes: process.memoryUsage.rss() });
  } catch (thrown) {
    send({ failed: messageOf(thrown) });
  }
}

async function load({ manifest, artifacts }: Extract<ToWebgpu, { kind: 'load' }>): Promise<Float32Array> {
  loaded = { model: await loadTensorModel(manifest.format, artifacts), manifest };
  return new Float32Array(0);
}

async function run({ rows, n }: Extract<ToWebgpu, { kind: 'run' }>): Promise<Float32Array> {
  const { model, manifest } = loaded!;
  const output = tf.tidy(() => predict(model, manifest, { rows, n }));
  try {
    return await output.data<'float32'>();
  } finally {
    output.dispose();
  }
}

/**
 * Makes WebGPU the backend of this process, which is to have no other.
 * @returns its adapter, and a promise that says why when its device is lost.
 * @throws Error when a package is missing, or Dawn finds no adapter.
 */
async function startWebgpu(): Promise<{ readonly adapter: WebgpuAdapter; readonly lost: Promise<string> }> {
  const { create, globals } = (await import(pathToFileURL(webgpuRequire().resolve(webgpuNames.dawn)).href)) as Dawn;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  // The backend looks for it when it is loaded.
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  const found = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!found)
    throw new Error('Dawn finds no adapter: neither a GPU with a driver for Vulkan, Metal or Direct3D nor a software one that suffices');
  webgpuRequire()(webgpuNames.backend);
  // Else operations on fewer than 1000 numbers run in plain JavaScript.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  if (!(await tf.setBackend('webgpu'))) throw new Error('the backend does not start on the adapter');
  const { vendor, device, description, isFallbackAdapter } = found.info;
  const { lost } = (tf.backend() as unknown as WebgpuBackend).device;
  return {
    adapter: { gpu: isFallbackAdapter === false, device: description || `${vendor} ${device}`.trim() },
    lost: lost.then(({ message }) => `the WebGPU device is lost: ${messageOf(message)}`),
  };
}
