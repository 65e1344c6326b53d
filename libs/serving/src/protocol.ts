import type { ErrorCode } from '@sluice/domain';
import type { Plan } from './calibrate.ts';
import type { ExecutorOptions } from './open-executor.ts';
import type { Batch } from './row-queue.ts';
import type { Timing } from './timing.ts';

/** What a thread is started with. */
export interface ThreadData {
  readonly dir: string;
  readonly schemas: readonly object[];
  readonly options: ExecutorOptions;
  /** What a calibration decided, that of the first thread or one that was kept; absent in the thread that is to calibrate. */
  readonly plan: Plan | undefined;
}

/** What one executor takes for whole batches. */
export interface ExecutorTimes {
  readonly executor: string;
  readonly timings: readonly Timing[];
}

/** The facts about an opened executor that leave the thread. */
export interface ExecutorFacts {
  readonly name: string;
  readonly gpu: boolean;
  readonly why: string;
  readonly timings: readonly Timing[];
  readonly table: readonly ExecutorTimes[];
  readonly plan: Plan;
}

/** What a thread holds; `tensors` stays constant from batch to batch. */
export interface ThreadStats {
  readonly tensors: number;
  /** Bytes of the weights, once per executor in use; of one with a process of its own, all that holds. */
  readonly weightBytes: number;
  /** Resident bytes of the process, where it is one of its own; the pages of libraries count in full, though processes share them. */
  readonly processBytes?: number;
  /** CPU microseconds of such a process since it started. */
  readonly processMicros?: number;
}

/** One row that failed for a reason of its own. */
export interface RowFailure {
  readonly row: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a lane asks of its host. */
export type Task = { readonly kind: 'run'; readonly batch: Batch } | { readonly kind: 'stats' };

/** The same on its way to another thread or process. `slab` holds the rows, see slab.ts. */
export type ToThread = { readonly kind: 'run'; readonly n: number; readonly slab: ArrayBuffer } | { readonly kind: 'stats' };

/** The answers, in the order of the tasks. `micros` is the time the batch kept the thread busy, decoding included. */
export type FromThread =
  | { readonly kind: 'ready'; readonly facts: ExecutorFacts }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly kind: 'scores';
      /** n rows with one softmax output per label; rows that failed hold zeros. */
      readonly scores: Float32Array<ArrayBuffer>;
      readonly failures: readonly RowFailure[];
      readonly micros: number;
    }
  | { readonly kind: 'threw'; readonly message: string; readonly micros: number }
  | { readonly kind: 'stats'; readonly stats: ThreadStats };
