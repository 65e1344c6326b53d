import type { Answer, Manifest, SluiceError } from '@sluice/domain';
import { BatchCost, type BatchFit } from './batch-cost.ts';
import { Batcher } from './batcher.ts';
import type { CalibrationStore } from './calibration-store.ts';
import { handOver, type Placement } from './host.ts';
import { loadModel } from './model-folder.ts';
import type { BackendChoice } from './open-executor.ts';
import { executorOptions, openLanes } from './open-lanes.ts';
import type { ExecutorFacts, ThreadStats } from './protocol.ts';
import type { InferValue, Urgency } from './row-queue.ts';

export interface ServerOptions {
  /** The model folder. */
  readonly dir: string;
  /** The flow's writer schemas of requests, in the flow's order; `InferValue.schema` is an index into them. */
  readonly schemas: readonly object[];
  /** Name of the tier that the answers carry. Default: the model's name. */
  readonly tier?: string;
  /** Inference threads. Default 1; more than cores minus one only make each other wait. */
  readonly threads?: number;
  /** Default `auto`: the fastest on this model, measured at load. */
  readonly backend?: BackendChoice;
  /** Refuse to start without a GPU. Default false. */
  readonly requireGpu?: boolean;
  /** Most rows in one batch. Default: the manifest's, else 128. */
  readonly maxBatch?: number;
  /** Milliseconds a batch may take before its thread is replaced and its rows are tried once more. Default: the manifest's, else 10,000. */
  readonly timeout?: number;
  /** Milliseconds a thread may take to load its model. Default 60,000. */
  readonly openTimeout?: number;
  /** Milliseconds of timing at load. Default 200. */
  readonly calibration?: number;
  /** Keeps what timing came to, so that the next start on this machine goes without. Left out: timed at every load. */
  readonly calibrations?: CalibrationStore;
  /**
   * Where the model runs. Default: a process of its own when that loads TensorFlow's native library; the calling thread when even full batches
   * are compiled code that takes less time than waking another thread; else a thread.
   */
  readonly placement?: Placement;
  readonly onFit?: (fit: BatchFit) => void;
  /** Called when an inference thread hung or died, with the reason; another has taken its place. */
  readonly onLost?: ((why: string) => void) | undefined;
  /** File of the inference thread; tests put a faulty one here. */
  readonly threadFile?: URL;
}

/** What runs the model, and why. */
export interface BackendFacts {
  /** `wasm`, `native`, `frozen`, `webgpu`, `cpu`, `compiled`, or two of them: `compiled+frozen`. */
  readonly name: string;
  /** Where: in the thread that asks, in one of its own, or in a process of its own. */
  readonly placement: Placement;
  /** True only when TensorFlow, or WebGPU, really computes on a GPU. */
  readonly gpu: boolean;
  readonly why: string;
  /** Microseconds of whole batches as timed at load, without decoding. */
  readonly timings: ExecutorFacts['timings'];
  /** The same of every executor that was tried. */
  readonly table: ExecutorFacts['table'];
}

export interface ModelServer {
  readonly manifest: Manifest;
  readonly backend: BackendFacts;
  /**
   * Answers in the order of the values. Batches are formed by what calls press most. A row that cannot be read or answered is a SluiceError in
   * its place: the code of its decoding, SLUICE_MODEL_FAILED, or SLUICE_MODEL_LOST when the model did not answer in time or its thread died.
   * @throws SluiceError SLUICE_CLOSED after close; a fatal one when the model cannot be loaded again after its thread died.
   */
  infer(values: readonly InferValue[], urgency?: Urgency): Promise<readonly (Answer | SluiceError)[]>;
  /** Learned time of a batch: base + perRow * n, microseconds of one thread. */
  fit(): BatchFit;
  /** Rows that wait for a thread. */
  readonly queued: number;
  stats(): Promise<readonly ThreadStats[]>;
  /** Answers what was taken, then ends the threads. */
  close(): Promise<void>;
}

/**
 * Loads a model and serves it from inference threads; the calling thread only copies bytes, or runs it itself where that takes less.
 * @throws SluiceError SLUICE_MODEL_MISSING, SLUICE_MODEL_INVALID, SLUICE_SCHEMA_INVALID, SLUICE_GPU_MISSING, SLUICE_CONFIG_INVALID.
 */
export async function openServer(options: ServerOptions): Promise<ModelServer> {
  const folder = await loadModel(options.dir, options.schemas);
  const { manifest } = folder;
  const { maxBatch } = executorOptions(options, folder);
  const { lanes, facts } = await openLanes(options, folder);
  const cost = new BatchCost(facts.timings);
  const batcher = new Batcher({
    lanes,
    cost,
    maxBatch,
    hop: handOver[lanes[0]!.placement],
    whose: { tier: options.tier ?? manifest.model, model: manifest.model, version: manifest.version, labels: manifest.labels.length },
    ...(options.onFit ? { onFit: options.onFit } : {}),
  });
  const { plan: _plan, ...taken } = facts;
  const backend: BackendFacts = { ...taken, placement: lanes[0]!.placement };
  return {
    manifest,
    backend,
    infer: (values, urgency) => batcher.infer(values, urgency),
    fit: () => cost.fit,
    get queued() {
      return batcher.queued;
    },
    stats: () => Promise.all(lanes.map((lane) => lane.stats())),
    async close() {
      await batcher.close();
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}
