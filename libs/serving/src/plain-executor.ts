import type { Activation, Dense } from './dense-stack.ts';
import type { Executor } from './executor.ts';

/**
 * Dense layers as loops over typed arrays: no tensor, no call overhead, zeros of a sparse row skipped. Beats every
 * backend on small batches of small models and on hashed text, and loses on wide dense layers.
 */
export class PlainExecutor implements Executor {
  readonly name = 'plain';
  readonly bytes: number;
  readonly #stack: readonly Dense[];
  readonly #width: number;
  readonly #labels: number;
  /** One buffer of outputs per layer, reused for every row; float64 so that long sums lose nothing. */
  readonly #outputs: readonly Float64Array[];

  constructor(stack: readonly Dense[]) {
    this.#stack = stack;
    this.#width = stack[0]?.inputs ?? 0;
    this.#labels = stack.at(-1)?.units ?? 0;
    this.#outputs = stack.map((dense) => new Float64Array(dense.units));
    this.bytes = stack.reduce((sum, dense) => sum + dense.kernel.byteLength + dense.bias.byteLength, 0);
  }

  run(rows: Float32Array, n: number): Float32Array {
    const scores = new Float32Array(n * this.#labels);
    for (let row = 0; row < n; row++) {
      for (let layer = 0; layer < this.#stack.length; layer++) {
        const dense = this.#stack[layer]!;
        const output = this.#outputs[layer]!;
        output.set(dense.bias);
        if (layer === 0) addFirst(dense, rows.subarray(row * this.#width, (row + 1) * this.#width), output);
        else addHidden(dense, this.#outputs[layer - 1]!, output);
        activations[dense.activation](output);
      }
      scores.set(this.#outputs.at(-1)!, row * this.#labels);
    }
    return scores;
  }

  dispose(): void {}
}

/** Input times kernel, for float32 rows; zeros are skipped. Apart from `addHidden` so that each sees one type of array: half the time. */
function addFirst({ inputs, units, kernel }: Dense, input: Float32Array, output: Float64Array): void {
  for (let i = 0; i < inputs; i++) {
    const x = input[i]!;
    if (x === 0) continue;
    const at = i * units;
    for (let j = 0; j < units; j++) output[j]! += x * kernel[at + j]!;
  }
}

/** The same for what a layer put out. */
function addHidden({ inputs, units, kernel }: Dense, input: Float64Array, output: Float64Array): void {
  for (let i = 0; i < inputs; i++) {
    const x = input[i]!;
    if (x === 0) continue;
    const at = i * units;
    for (let j = 0; j < units; j++) output[j]! += x * kernel[at + j]!;
  }
}

const activations: Record<Activation, (values: Float64Array) => void> = {
  linear: () => {},
  relu(values) {
    // Written so that NaN stays NaN, as in TensorFlow.js.
    for (let i = 0; i < values.length; i++) if (values[i]! < 0) values[i] = 0;
  },
  sigmoid(values) {
    for (let i = 0; i < values.length; i++) values[i] = 1 / (1 + Math.exp(-values[i]!));
  },
  tanh(values) {
    for (let i = 0; i < values.length; i++) values[i] = Math.tanh(values[i]!);
  },
  softmax(values) {
    let largest = -Infinity;
    for (let i = 0; i < values.length; i++) if (values[i]! > largest) largest = values[i]!;
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(values[i]! - largest);
    for (let i = 0; i < values.length; i++) values[i]! /= sum;
  },
};
