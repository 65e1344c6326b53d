import type { io } from '@tensorflow/tfjs-core';
import { joinBuffers } from '../weights.ts';
import { Uncompilable } from './uncompilable.ts';

/**
 * Weights by name, those kept as 8 or 16 bits scaled back as TensorFlow.js does it.
 * @throws Uncompilable when one is no float32.
 */
export function readWeights({ weightSpecs, weightData }: io.ModelArtifacts): Map<string, Float32Array> {
  const bytes = joinBuffers(weightData ?? []);
  const weights = new Map<string, Float32Array>();
  let at = 0;
  for (const spec of weightSpecs ?? []) {
    const count = spec.shape.reduce((product, size) => product * size, 1);
    const kept = spec.quantization?.dtype ?? 'float32';
    if (spec.dtype !== 'float32' || !(kept in widths)) throw new Uncompilable(`${spec.name} is kept as ${kept} for ${spec.dtype}`);
    const end = at + count * widths[kept as keyof typeof widths];
    const { buffer } = bytes.slice(at, end);
    at = end;
    if (!spec.quantization) weights.set(spec.name, new Float32Array(buffer));
    else {
      const { scale = 1, min = 0 } = spec.quantization as { scale?: number; min?: number };
      const levels = kept === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
      const scaled = new Float32Array(count);
      // `Float32Array.from` would go through an iterator, which takes many times as long.
      for (let i = 0; i < count; i++) scaled[i] = levels[i]! * scale + min;
      weights.set(spec.name, scaled);
    }
  }
  return weights;
}

const widths = { float32: 4, uint8: 1, uint16: 2 } as const;
