import { performance } from 'node:perf_hooks';
import { SluiceError, toSluiceError } from '@sluice/domain';
import { ExecutorGone, type Executor } from './executor.ts';
import { messageOf } from './message.ts';
import { loadModel, type ModelFolder } from './model-folder.ts';
import type { OpenedExecutor } from './open-executor.ts';
import { openPlanned } from './open-planned.ts';
import type { FromThread, RowFailure, ThreadData, ThreadStats } from './protocol.ts';
import type { Values } from './slab.ts';
import { soften } from './temperature.ts';
import { openThreadPort, type ThreadPort } from './thread-port.ts';

/** Only tests replace what an inference thread runs. */
export type Wrap = (executor: Executor, data: ThreadData) => Executor;

/** The whole life of an inference thread: load, report, answer batches until told to close. */
export async function serveThread(wrap?: Wrap): Promise<void> {
  const { port, data } = await openThreadPort();
  await serve({ port, data }, wrap);
}

interface Served {
  readonly port: ThreadPort;
  readonly data: ThreadData;
  /** The model, where this thread has read it already. */
  readonly read?: ModelFolder;
}

/** Loads the model of one lane and goes on to answer its batches, in whatever thread this is. */
export async function serve({ port, data, read }: Served, wrap: Wrap = (executor) => executor): Promise<void> {
  try {
    const folder = read ?? (await loadModel(data.dir, data.schemas));
    const { executor, ...opened } = await open(folder, data);
    const batches = new BatchRunner(folder, wrap(executor, data), data.options.maxBatch);
    port.listen((order) => {
      if (order.kind === 'run') return batches.run(order.values, port);
      const whole = port.placement === 'process' ? wholeProcess() : {};
      port.send({ kind: 'stats', stats: { tensors: executor.tensors ?? 0, weightBytes: executor.bytes, ...whole } });
    });
    port.send({ kind: 'ready', facts: { name: executor.name, ...opened } });
  } catch (thrown) {
    const { code, message } = toSluiceError(thrown, 'SLUICE_MODEL_INVALID');
    port.send({ kind: 'fault', code, message });
    port.close();
  }
}

function wholeProcess(): Pick<ThreadStats, 'processBytes' | 'processMicros'> {
  const { user, system } = process.cpuUsage();
  return { processBytes: process.memoryUsage.rss(), processMicros: user + system };
}

async function open(folder: ModelFolder, { options, plan }: ThreadData): Promise<OpenedExecutor> {
  // Loads TensorFlow.js, which what a plan opens may do without.
  if (!plan) return (await import('./open-executor.ts')).openExecutor(folder, options);
  return { ...(await openPlanned(folder, { plan, budget: options.calibration })), why: '', timings: [], table: [], plan };
}

/** A batch of fewer microseconds waits for those that are there already, so that one waking of the other thread does for all of them. */
const quick = 200;

/** Decodes and runs batches. The rows buffer is filled again by each batch: executors let go of it when they return. */
class BatchRunner {
  readonly #folder: ModelFolder;
  readonly #executor: Executor;
  readonly #rows: Float32Array;
  readonly #labels: number;
  readonly #temperature: number;
  /** Answers of quick batches, to be sent together. */
  #held: FromThread[] = [];

  constructor(folder: ModelFolder, executor: Executor, maxBatch: number) {
    this.#folder = folder;
    this.#executor = executor;
    this.#rows = executor.rows?.(maxBatch) ?? new Float32Array(maxBatch * folder.width);
    this.#labels = folder.manifest.labels.length;
    this.#temperature = folder.manifest.calibration?.temperature ?? 1;
  }

  run(values: Values, port: Pick<ThreadPort, 'send'>): void {
    const { n } = values;
    const start = performance.now();
    const micros = (): number => (performance.now() - start) * 1000;
    try {
      const { rowOf, failures } = this.#decode(values);
      const outputs: Float32Array = rowOf.length > 0 ? this.#executor.run(this.#rows, rowOf.length) : new Float32Array(0);
      if (outputs.length !== rowOf.length * this.#labels)
        throw new Error(`${outputs.length} outputs for ${rowOf.length} rows of ${this.#labels} labels`);
      // A copy: a backend may hand out a view of memory that is not its to give away.
      const scores = failures.length === 0 ? outputs.slice() : this.#spread(outputs, rowOf, n);
      soften(scores, this.#labels, this.#temperature);
      this.#held.push({ kind: 'scores', scores, failures, micros: micros() });
      // One row alone may be there to find the one at fault: its answer must not be lost with what comes after it.
      if (n > 1 && micros() < quick) return void (this.#held.length === 1 && setImmediate(() => this.#flush(port)));
    } catch (thrown) {
      // This thread is to be replaced: it ends of it, and its lane sees to the batch.
      if (thrown instanceof ExecutorGone) throw thrown;
      this.#held.push({ kind: 'threw', message: messageOf(thrown), micros: micros() });
    }
    this.#flush(port);
  }

  #flush(port: Pick<ThreadPort, 'send'>): void {
    for (const message of this.#held.splice(0)) port.send(message);
  }

  /** Rows that decode lie one behind the other; `rowOf` tells which row of the batch each of them is. */
  #decode(values: Values): { rowOf: Int32Array; failures: RowFailure[] } {
    const { width, extractors } = this.#folder;
    const { n } = values;
    const rowOf = new Int32Array(n);
    const failures: RowFailure[] = [];
    let good = 0;
    for (let row = 0; row < n; row++) {
      const schema = values.schema(row);
      const extractor = extractors[schema];
      try {
        if (!extractor) throw new SluiceError('SLUICE_SCHEMA_UNKNOWN', `The flow has no request schema ${schema}.`);
        extractor.extract(values.bytes(row), values.start(row), this.#rows, good * width, values.end(row));
        rowOf[good++] = row;
      } catch (thrown) {
        const { code, message } = toSluiceError(thrown, 'SLUICE_AVRO_INVALID');
        failures.push({ row, code, message });
      }
    }
    return { rowOf: rowOf.subarray(0, good), failures };
  }

  #spread(outputs: Float32Array, rowOf: Int32Array, n: number): Float32Array<ArrayBuffer> {
    const scores = new Float32Array(n * this.#labels);
    for (let i = 0; i < rowOf.length; i++) scores.set(outputs.subarray(i * this.#labels, (i + 1) * this.#labels), rowOf[i]! * this.#labels);
    return scores;
  }
}
