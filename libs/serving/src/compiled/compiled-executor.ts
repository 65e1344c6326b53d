import type { Executor } from '../executor.ts';
import type { ModelFolder } from '../model-folder.ts';
import { compile, math } from './compile.ts';
import { readNetwork, type Network } from './network.ts';
import { engine, type Memory } from './web-assembly.ts';

const page = 65_536;

type Run = (input: number, output: number, rows: number) => void;

/** A network as WebAssembly written for it: one call a batch, nothing allocated, weights laid out for SIMD. */
export class CompiledExecutor implements Executor {
  readonly name = 'compiled';
  readonly bytes: number;
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
    this.#softmax = last.kind === 'convolution' && last.activation === 'softmax';
    this.#input = end;
    this.#memory = new engine.Memory({ initial: Math.ceil(end / page) });
    for (const [address, floats] of constants) new Float32Array(this.#memory.buffer, address, floats.length).set(floats);
    this.bytes = [...constants.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const instance = new engine.Instance(new engine.Module(module), { env: { memory: this.#memory, ...math } });
    this.#run = instance.exports['run'] as Run;
  }

  rows(n: number): Float32Array {
    if (n > this.#capacity) this.#grow(n);
    return this.#floats.subarray(this.#input / 4, this.#input / 4 + n * this.#width);
  }

  run(rows: Float32Array, n: number): Float32Array {
    if (n > this.#capacity) this.#grow(n);
    const floats = this.#floats;
    if (rows.buffer !== floats.buffer) floats.set(rows.subarray(0, n * this.#width), this.#input / 4);
    this.#run(this.#input, this.#output, n);
    const scores = new Float32Array(n * this.#labels);
    const [labels, depth, from] = [this.#labels, this.#depth, this.#output / 4];
    for (let row = 0; row < n; row++) {
      const at = row * labels;
      for (let i = 0; i < labels; i++) scores[at + i] = floats[from + row * depth + i]!;
      if (this.#softmax) softmax(scores, at, labels);
    }
    return scores;
  }

  dispose(): void {}

  #grow(n: number): void {
    this.#output = this.#input + Math.ceil((n * this.#width) / 4) * 16;
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

function softmax(scores: Float32Array, at: number, labels: number): void {
  let largest = -Infinity;
  for (let i = at; i < at + labels; i++) if (scores[i]! > largest) largest = scores[i]!;
  let sum = 0;
  for (let i = at; i < at + labels; i++) sum += scores[i] = Math.exp(scores[i]! - largest);
  for (let i = at; i < at + labels; i++) scores[i]! /= sum;
}
