import { cpus } from 'node:os';
import { openBackend, type BackendState } from './backend.ts';
import { setNativeEnvironment } from './native-environment.ts';
import { openWebgpu } from './webgpu-executor.ts';

/** Whether an executor can run here, and on what. */
export interface Surveyed {
  readonly executor: 'compiled' | 'wasm' | 'native' | 'frozen' | 'webgpu' | 'cpu';
  readonly loads: boolean;
  /** Empty when it does not load. */
  readonly device: string;
  /** What it is, or why it does not load. */
  readonly note: string;
}

const what = {
  compiled: 'WebAssembly written for the model, where its layers allow',
  wasm: 'TensorFlow.js on WebAssembly, one thread',
  native: 'TensorFlow, one call for each operation',
  frozen: 'TensorFlow, one call for each batch',
  webgpu: 'TensorFlow.js on WebGPU, by Dawn',
  cpu: 'TensorFlow.js in plain JavaScript: the oracle',
} as const;

/** Loads every backend into the calling thread, one after the other. Never throws. */
export async function surveyExecutors(): Promise<Surveyed[]> {
  setNativeEnvironment(process.env);
  const processor = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`;
  const states = { wasm: await openBackend('wasm'), native: await openBackend('native'), cpu: await openBackend('cpu') };
  const line = (executor: Surveyed['executor'], state: BackendState): Surveyed =>
    state.ready
      ? { executor, loads: true, device: state.gpu ? 'GPU' : processor, note: what[executor] }
      : { executor, loads: false, device: '', note: state.why.split('\n')[0]! };
  return [
    { executor: 'compiled', loads: true, device: processor, note: what.compiled },
    ...(['wasm', 'native'] as const).map((name) => line(name, states[name])),
    line('frozen', states.native),
    await surveyWebgpu(),
    line('cpu', states.cpu),
  ];
}

async function surveyWebgpu(): Promise<Surveyed> {
  const executor = 'webgpu';
  const state = await openWebgpu();
  if (!state.ready) return { executor, loads: false, device: '', note: state.why };
  await state.host.end();
  return { executor, loads: true, device: state.device, note: state.gpu ? what.webgpu : `${what.webgpu}; no GPU: it computes on the CPU` };
}
