import type { Executor } from '../executor.ts';
import type { ModelFolder } from '../model-folder.ts';
import { compile } from './compile.ts';
import type { Network } from './network.ts';
import { readNetwork } from './read-network.ts';
import { engine, type Memory } from './web-assembly.ts';

const page = 65_536;

type Run = (input: number, output: number, rows: number) => void;

/** A network as WebAssembly written for it: one call a batch, nothing allocated, weights laid out for SIMD. */
export class CompiledExecutor implements Executor {
  readonly name = 'compiled';
  readonly #memory: Memory;
  readonly #run: Run;
  readonly #width: number;
  readonly #labels: number;
  readonly #depth: number;
  readonly #softmax: boolean;
  readonly #input: number;
  #capacity = 0;
  #output = 0;
  #floats = new Float32Array(0);

  constructor(network: Network) {
    const { module, constants, end, outputDepth } = compile(network);
    const { height, width, channels } = network.input;
    const last = network.steps.at(-1)!;
    this.#width = height * width * channels;
    this.#labels = last.output.channels;
    this.#depth = outputDepth;
    this.#softmax = 'activation' in last && last.activation === 'softmax';
    this.#input = end;
    this.#memory = new engine.Memory({ initial: Math.ceil(end / page) });
    for (const [address, floats] of constants) new Float32Array(this.#memory.buffer, address, floats.length).set(floats);
    const instance = new engine.Instance(module, { env: { memory: this.#memory } });
    this.#run = instance.exports['run'] as Run;
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  rows(n: number): Float32Array {
    if (n > this.#capacity) this.#grow(n);
    return this.#floats.subarray(this.#input / 4, this.#input / 4 + n * this.#width);
  }

  run(rows: Float32Array, n: number): Float32Array {
    // The loops count down from n and look at it after each turn: from zero they would not end.
    if (n === 0) return new Float32Array(0);
    if (n > this.#capacity) this.#grow(n);
    const floats = this.#floats;
    if (rows.buffer !== floats.buffer) floats.set(rows.subarray(0, n * this.#width), this.#input / 4);
    this.#run(this.#input, this.#output, n);
    const scores = new Float32Array(n * this.#labels);
    const [labels, depth] = [this.#labels, this.#depth];
    for (let row = 0, from = this.#output / 4; row < n; row++, from += depth) {
      if (this.#softmax) softmax(floats, from, { scores, at: row * labels, labels });
      else for (let i = 0; i < labels; i++) scores[row * labels + i] = floats[from + i]!;
    }
    return scores;
  }

  dispose(): void {}

  #grow(n: number): void {
    const rowsEnd = this.#input + n * this.#width * 4;
    this.#output = Math.ceil(rowsEnd / 16) * 16;
    const pages = Math.ceil((this.#output + n * this.#depth * 4) / page);
    const now = this.#memory.buffer.byteLength / page;
    if (pages > now) this.#memory.grow(pages - now);
    this.#floats = new Float32Array(this.#memory.buffer);
    this.#capacity = n;
  }
}

/** @throws Uncompilable naming the layer at fault. */
export function compileModel({ manifest, artifacts }: Pick<ModelFolder, 'manifest' | 'artifacts'>): CompiledExecutor {
  return new CompiledExecutor(readNetwork(manifest, artifacts));
}

interface Outputs {
  readonly scores: Float32Array;
  readonly at: number;
  readonly labels: number;
}

function softmax(floats: Float32Array, from: number, { scores, at, labels }: Outputs): void {
  let largest = -Infinity;
  for (let i = 0; i < labels; i++) if (floats[from + i]! > largest) largest = floats[from + i]!;
  let sum = 0;
  for (let i = 0; i < labels; i++) sum += scores[at + i] = Math.exp(floats[from + i]! - largest);
  for (let i = at; i < at + labels; i++) scores[i]! /= sum;
}
