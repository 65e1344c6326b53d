import { performance } from 'node:perf_hooks';
import { SluiceError } from '@sluice/domain';
import { backendOf, openBackend, useBackend, type BackendState, type TensorName } from './backend.ts';
import { assemble, costAt, disagreement, planByTime, timed, timedInTurn, type Plan, type Timed, type TimedTensor } from './calibrate.ts';
import { compileModel } from './compiled/compiled-executor.ts';
import { Uncompilable } from './compiled/uncompilable.ts';
import type { Executor } from './executor.ts';
import { handOver } from './host.ts';
import { checkOutputs } from './check-outputs.ts';
import { loadTensor, loadWebgpu } from './load-executor.ts';
import { messageOf } from './message.ts';
import type { ModelFolder } from './model-folder.ts';
import { sampleRows } from './sample-rows.ts';
import type { TensorExecutor } from './tensor-executor.ts';
import type { ExecutorTimes } from './protocol.ts';
import { processorsBusy, timeAt, type Timing } from './timing.ts';
import { openWebgpu, type WebgpuState } from './webgpu-executor.ts';

/** What a caller may ask for: one way by name, or `auto` for the one that is fastest on this model here. */
export type BackendChoice = 'auto' | TensorName | 'compiled';

export interface ExecutorOptions {
  readonly backend: BackendChoice;
  readonly requireGpu: boolean;
  readonly maxBatch: number;
  /** Milliseconds that timing this model may take. */
  readonly calibration: number;
}

/** The executor that was taken, and the facts an operator asks for. */
export interface OpenedExecutor {
  readonly executor: Executor;
  readonly gpu: boolean;
  /** One sentence: why this one, and why not the others. */
  readonly why: string;
  readonly timings: readonly Timing[];
  /** Times of every executor that was tried. */
  readonly table: readonly ExecutorTimes[];
  readonly plan: Plan;
}

interface Tensor extends TimedTensor {
  readonly gpu: boolean;
}

/**
 * Loads a model into the executor asked for, or into the one that calibration finds fastest.
 * @throws SluiceError SLUICE_GPU_MISSING when a GPU is required and none is used; SLUICE_CONFIG_INVALID when the way asked
 * for does not load; SLUICE_MODEL_INVALID when the model does not, or answers the sample rows with anything but
 * distributions over its labels.
 */
export async function openExecutor(folder: ModelFolder, options: ExecutorOptions): Promise<OpenedExecutor> {
  const attempt: Attempt = { rows: sampleRows(folder.manifest, Math.max(2, options.maxBatch)), options, notes: [] };
  if (options.backend === 'compiled' && !options.requireGpu) return onlyCompiled(folder, attempt);
  const tensors: Tensor[] = [];
  for (const name of candidates(options)) {
    const tensor = await openTensor(folder, name, attempt);
    if (tensor) tensors.push(tensor);
  }
  const quickest = await fastest(tensors, folder, attempt);
  const asked = options.requireGpu || options.backend !== 'auto';
  const code = asked ? undefined : openCompiled(folder, quickest.executor, attempt);
  const [compiled, best] = code
    ? timedInTurn([code, quickest], attempt.rows, { budget: options.calibration })
    : ([undefined, quickest] as const);
  const { plan, timings, why } = compiled
    ? planByTime(compiled, best, options.maxBatch)
    : { plan: { tensor: best.name, compiledUpTo: 0 }, timings: best.timings, why: `${best.name} ${asked ? 'was asked for' : 'is taken'}` };
  const others = tensors.filter(({ executor }) => executor !== best.executor);
  const table = [...(compiled ? [compiled] : []), best, ...others].map(({ executor: { name }, timings: times }) => ({
    executor: name,
    timings: times,
  }));
  const executor = assemble(compiled?.executor, best.executor, plan);
  return { executor, gpu: best.gpu && plan.tensor !== undefined, why: [why, ...attempt.notes].join('; '), timings, table, plan };
}

/** Ways that may run on a GPU. */
const onGpus: readonly TensorName[] = ['native', 'frozen', 'webgpu'];

function candidates({ backend, requireGpu }: ExecutorOptions): readonly TensorName[] {
  const named = onGpus.filter((name) => name === backend);
  if (requireGpu) return named.length > 0 ? named : onGpus;
  if (backend === 'auto') return ['native', 'frozen', 'wasm', 'webgpu'];
  return backend === 'compiled' ? [] : [backend];
}

interface Attempt {
  readonly rows: Float32Array;
  readonly options: ExecutorOptions;
  readonly notes: string[];
}

/** A backend that does not load is a note; a model that does not load, or answers nonsense, is an error. */
async function openTensor(folder: ModelFolder, name: TensorName, attempt: Attempt): Promise<Tensor | undefined> {
  if (name === 'webgpu') return openOnWebgpu(folder, attempt);
  const { rows, options, notes } = attempt;
  const state = await openBackend(backendOf(name));
  if (!suits(name, state, attempt) || !state.ready) return undefined;
  const executor = name === 'frozen' && options.backend !== name ? await tryFrozen(folder, notes) : await loadTensor(folder, name);
  if (!executor) return undefined;
  checkOutputs(folder.manifest, executor, { rows, n: 2 });
  const times = { ...timed(executor, rows, timing(options)), name, gpu: state.gpu };
  // The native library has threads of its own and is served from a process of its own, everything else from one thread.
  if (backendOf(name) !== 'native') return { ...times, hop: 0, processors: 1 };
  const processors = processorsBusy(executor, rows, { n: Math.min(compared, options.maxBatch), budget: options.calibration / 8 });
  return { ...times, hop: handOver.process - handOver.thread, processors };
}

const timing = ({ maxBatch, calibration }: ExecutorOptions) => ({ maxBatch, budget: calibration / 2 });

/** Whether this is what was asked for; if not, a note says why. @throws SluiceError SLUICE_CONFIG_INVALID when it was asked for by name. */
function suits(name: TensorName, state: BackendState | WebgpuState, { options, notes }: Attempt): boolean {
  if (!state.ready) {
    if (options.backend === name && !options.requireGpu)
      throw new SluiceError('SLUICE_CONFIG_INVALID', `The backend ${name} was asked for and did not load: ${state.why}`);
    // Said once, of the binding.
    if (name !== 'frozen' || options.backend === name) notes.push(`${name} did not load: ${state.why}`);
    return false;
  }
  if ('device' in state) notes.push(state.gpu ? `webgpu uses ${state.device}` : `webgpu computes on the CPU (${state.device})`);
  else if (name === 'native') notes.push(state.gpu ? 'native uses a GPU' : 'native loaded without a GPU');
  return state.gpu || !options.requireGpu;
}

/**
 * Milliseconds until the first answer of WebGPU where nobody asked for it: a driver that hangs, or compiles for a CPU, is not to hold up
 * the start.
 */
const patience = 5000;

/** Where it was not asked for, WebGPU is passed over with a note whatever the reason. */
async function openOnWebgpu(folder: ModelFolder, attempt: Attempt): Promise<Tensor | undefined> {
  const { rows, options, notes } = attempt;
  const hurried = options.backend !== 'webgpu' && !options.requireGpu;
  const state = await openWebgpu(hurried ? patience : undefined);
  const suitable = suits('webgpu', state, attempt);
  if (!state.ready) return undefined;
  try {
    if (!suitable) return void (await state.host.end());
    const executor = await loadWebgpu(folder, state.host);
    if (hurried) beQuick(() => executor.run(rows, 2), options.calibration);
    state.host.unhurried();
    // Its times have the way to its process and back in them.
    return { ...timed(executor, rows, timing(options)), name: 'webgpu', hop: 0, processors: 1, gpu: state.gpu };
  } catch (thrown) {
    await state.host.end();
    if (options.backend === 'webgpu') throw thrown;
    notes.push(`webgpu is passed over: ${messageOf(thrown)}`);
    return undefined;
  }
}

function beQuick(run: () => void, limit: number): void {
  const start = performance.now();
  run();
  const took = performance.now() - start;
  if (took > limit) throw new Error(`it takes ${Math.round(took)} ms for 2 rows`);
}

/** A model that cannot be frozen is still served by the others. */
async function tryFrozen(folder: ModelFolder, notes: string[]): Promise<TensorExecutor | undefined> {
  try {
    return await loadTensor(folder, 'frozen');
  } catch (thrown) {
    notes.push(`no frozen graph: ${messageOf(thrown)}`);
    return undefined;
  }
}

/** Rows at which tensor executors are held against each other. */
const compared = 32;

/**
 * TensorFlow's GPU is taken where there is one; else the cheaper at 32 rows, WebGPU's too only when it is that. The others are disposed of.
 */
async function fastest(tensors: readonly Tensor[], folder: ModelFolder, { options, notes }: Attempt): Promise<Tensor> {
  const at = Math.min(compared, options.maxBatch);
  const first = ({ name, gpu }: Tensor) => Number(gpu && name !== 'webgpu');
  const ordered = [...tensors].sort((a, b) => first(b) - first(a) || costAt(a, at) - costAt(b, at));
  const [best, ...others] = ordered;
  if (!best) throw nothingLoads(folder, options, notes);
  for (const other of others) {
    notes.push(
      `${other.executor.name} takes ${Math.round(timeAt(other.timings, at))} us for ${at} rows, ${best.executor.name} ${Math.round(timeAt(best.timings, at))} us`,
    );
    other.executor.dispose();
  }
  if (best.name !== 'webgpu') await useBackend(backendOf(best.name));
  return best;
}

function nothingLoads({ manifest: { model } }: ModelFolder, { requireGpu }: ExecutorOptions, notes: readonly string[]): SluiceError {
  return requireGpu
    ? new SluiceError('SLUICE_GPU_MISSING', `A GPU is required for ${model}, and there is none: ${notes.join('; ')}.`)
    : new SluiceError('SLUICE_MODEL_INVALID', `No backend loads for ${model}: ${notes.join('; ')}.`);
}

/** Compiled code, when the layers allow and it agrees with the executor that computes the model anyway. */
function openCompiled(folder: ModelFolder, oracle: Executor, { rows, options, notes }: Attempt): Timed | undefined {
  try {
    const executor = compileModel(folder);
    const fault = disagreement(executor.run(rows, 2), oracle.run(rows, 2), folder.manifest.labels.length);
    if (!fault) return timed(executor, rows, timing(options));
    notes.push(`compiled code disagrees with ${oracle.name}, ${fault}`);
  } catch (thrown) {
    if (!(thrown instanceof Uncompilable)) throw thrown;
    notes.push(`not compiled: ${thrown.message}`);
  }
  return undefined;
}

function onlyCompiled(folder: ModelFolder, { rows, options }: Attempt): OpenedExecutor {
  const executor = compileAsked(folder);
  checkOutputs(folder.manifest, executor, { rows, n: 2 });
  const { timings } = timed(executor, rows, { maxBatch: options.maxBatch, budget: options.calibration });
  const plan = { tensor: undefined, compiledUpTo: options.maxBatch };
  return { executor, timings, table: [{ executor: executor.name, timings }], gpu: false, why: 'compiled code was asked for', plan };
}

function compileAsked(folder: ModelFolder): Executor {
  try {
    return compileModel(folder);
  } catch (cause) {
    throw new SluiceError(
      'SLUICE_CONFIG_INVALID',
      `Compiled code was asked for, and ${folder.manifest.model} cannot be compiled: ${messageOf(cause)}.`,
      { cause },
    );
  }
}
