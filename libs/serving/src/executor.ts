/**
 * One way to compute a model. Calibration chooses among those that load; a thread runs nothing but this port, so a new
 * way is one more file. It is synchronous: what is not (WebGPU) waits inside.
 */
export interface Executor {
  /** `plain`, `wasm`, `native`, `frozen`, `webgpu` or `cpu`. */
  readonly name: string;
  /**
   * @param rows at least n rows of the model's input width, row-major; only read, and free again on return.
   * @returns n rows with one number per label.
   * @throws Error when the model throws or its output has another shape; ExecutorGone when it answers no more.
   */
  run(rows: Float32Array, n: number): Float32Array;
  /** Bytes the weights hold; what runs in a process of its own: bytes of that. */
  readonly bytes: number;
  /** Tensors that it holds outside of the thread that runs it. */
  readonly tensors?: number;
  dispose(): void;
}

/** The executor can answer nothing any more: its thread is to be replaced, and no row is to blame. */
export class ExecutorGone extends Error {}
