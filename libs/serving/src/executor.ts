/**
 * One way to compute a model. Calibration chooses among those that load; a thread runs nothing but this port, so a new
 * way (a frozen graph, WebGPU) is one more file.
 */
export interface Executor {
  /** `plain`, `wasm`, `native`, `frozen` or `cpu`. */
  readonly name: string;
  /**
   * @param rows at least n rows of the model's input width, row-major; only read, and free again on return.
   * @returns n rows with one number per label.
   * @throws Error when the model throws or its output has another shape.
   */
  run(rows: Float32Array, n: number): Float32Array;
  /** Bytes the weights hold. */
  readonly bytes: number;
  dispose(): void;
}
