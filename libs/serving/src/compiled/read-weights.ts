import type { io } from '@tensorflow/tfjs-core';
import { joinBuffers } from '../weights.ts';
import { Uncompilable } from './uncompilable.ts';

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type WeightsByName = ReadonlyMap<string, Weight>;

/**
 * Weights by name, those kept as 8 or 16 bits scaled back as TensorFlow.js does it, and the whole numbers of a graph (sizes, axes) among them.
 * @throws Uncompilable when one is neither.
 */
export function readWeights({ weightSpecs, weightData }: io.ModelArtifacts): WeightsByName {
  const bytes = joinBuffers(weightData ?? []);
  const weights = new Map<string, Weight>();
  let at = 0;
  for (const { name, shape, dtype, quantization } of weightSpecs ?? []) {
    const count = shape.reduce((product, size) => product * size, 1);
    const kept = quantization?.dtype ?? dtype;
    if (!['float32', 'int32'].includes(dtype) || !(kept in arrays)) throw new Uncompilable(`${name} is kept as ${kept} for ${dtype}`);
    const array = arrays[kept as keyof typeof arrays];
    const end = at + count * array.BYTES_PER_ELEMENT;
    const numbers = new array(bytes.slice(at, end).buffer);
    at = end;
    weights.set(name, { shape, values: quantization ? scaled(numbers, quantization) : floats(numbers) });
  }
  return weights;
}

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, uint16: Uint16Array } as const;

const floats = (numbers: Float32Array | Int32Array | Uint8Array | Uint16Array): Float32Array =>
  numbers instanceof Float32Array ? numbers : new Float32Array(numbers);

function scaled(levels: ArrayLike<number>, { scale = 1, min = 0 }: { scale?: number; min?: number }): Float32Array {
  const values = new Float32Array(levels.length);
  // `Float32Array.from` would go through an iterator, which takes many times as long.
  for (let i = 0; i < values.length; i++) values[i] = levels[i]! * scale + min;
  return values;
}
