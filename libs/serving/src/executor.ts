/**
 * One way to compute a model. Calibration chooses among those that load; a thread runs nothing but this port, so a new
 * way is one more file. It is synchronous: what is not (WebGPU) waits inside.
 */
export interface Executor {
  /** `compiled`, `wasm`, `native`, `frozen`, `webgpu` or `cpu`. */
  readonly name: string;
  /** Room for n rows where it reads them without a copy, the same for the same n; absent: it reads them wherever they are. */
  rows?(n: number): Float32Array;
  /**
   * @param rows at least n rows of the model's input width, row-major; only read, and free again on return.
   * @returns n rows with one number per label.
   * @throws Error when the model throws or its output has another shape; ExecutorGone when it answers no more.
   */
  run(rows: Float32Array, n: number): Float32Array;
  /** Bytes the weights hold, of compiled code with its buffers; what runs in a process of its own: bytes of that. */
  readonly bytes: number;
  /** Tensors alive where it computes; absent: it makes none. */
  readonly tensors?: number;
  dispose(): void;
}

/** The executor can answer nothing any more: its thread is to be replaced, and no row is to blame. */
export class ExecutorGone extends Error {}
