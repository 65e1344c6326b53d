import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '@sluice/domain';
import { writeModelFolder } from '../src/write-model.ts';

/** Copies a model folder to `to` with changes to its manifest: another version of the same weights. */
export async function copyModel(from: string, to: string, changes: Partial<Manifest>): Promise<void> {
  await cp(from, to, { recursive: true });
  const path = join(to, 'manifest.json');
  await writeFile(path, `${JSON.stringify({ ...(await readManifest(from)), ...changes }, null, 2)}\n`);
}

/**
 * Makes a version of a two-label model in `to` that loads, is fast and passes the check on made-up rows, and whose answer is NaN for every row
 * with a zero in `column`: relu(1e16 - 1e20 x) there is large, 3e38 times that is infinite, and the softmax of two infinities is NaN.
 */
export async function poisonedModel(from: string, to: string, { version, column }: { version: string; column: number }): Promise<void> {
  const { files: _, ...manifest } = await readManifest(from);
  const width = manifest.input.shape.reduce((product, size) => product * size, 1);
  const kernel = new Float32Array(width);
  kernel[column] = -1e20;
  const dense = (name: string, units: number, activation: string) => ({
    class_name: 'Dense',
    config: { name, units, activation, use_bias: true, ...(name === 'dense0' && { batch_input_shape: [null, width], dtype: 'float32' }) },
  });
  const weight = (name: string, ...shape: number[]) => ({ name, shape, dtype: 'float32' as const });
  const layers = [dense('dense0', 1, 'relu'), dense('dense1', 2, 'softmax')];
  await writeModelFolder({
    dir: to,
    manifest: { ...manifest, version },
    artifacts: {
      modelTopology: { class_name: 'Sequential', config: { name: 'poisoned', layers } },
      weightSpecs: [
        ...[weight('dense0/kernel', width, 1), weight('dense0/bias', 1)],
        ...[weight('dense1/kernel', 1, 2), weight('dense1/bias', 2)],
      ],
      weightData: [Float32Array.of(...kernel, 1e16, 3e38, 3e38, 0, 0).buffer],
    },
  });
}

async function readManifest(dir: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as Manifest;
}
