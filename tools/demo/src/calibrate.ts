import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from '@sluice/domain';
import { loadModel } from '@sluice/serving';
import { openTrainingBackend } from './backend.ts';
import { costPerEvent } from './cost.ts';
import type { Dataset } from './dataset.ts';

interface Calibration {
  /** Model folders; the ratios between their costs are what counts, so measure those of one flow together. */
  readonly dirs: readonly string[];
  /** The current request schema. */
  readonly schema: object;
  readonly dataset: Dataset;
}

const rounds = 5;

/**
 * Measures what one event costs on WASM, whatever the models were trained on, and states it in their manifests.
 * The models take turns, and each keeps its smallest figure: other work on the machine only ever adds.
 * @returns microseconds of CPU an event, in the order of `dirs`.
 */
export async function calibrate({ dirs, schema, dataset }: Calibration): Promise<number[]> {
  const { tf } = await openTrainingBackend('wasm');
  const folders = await Promise.all(dirs.map((dir) => loadModel(dir, [schema])));
  const models = await Promise.all(folders.map((folder) => tf.loadLayersModel(tf.io.fromMemory(folder.artifacts))));
  const costs = dirs.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    folders.forEach(({ manifest: { input } }, i) => {
      const cost = costPerEvent({ tf, model: models[i]!, samples: dataset.stream, schema, features: input.features, shape: input.shape });
      costs[i] = Math.min(costs[i]!, cost);
    });
  }
  for (const model of models) model.dispose();
  await Promise.all(dirs.map((dir, i) => stateCost(join(dir, 'manifest.json'), costs[i]!)));
  return costs;
}

async function stateCost(path: string, perEvent: number): Promise<void> {
  const manifest = parseManifest(JSON.parse(await readFile(path, 'utf8')), path);
  await writeFile(path, `${JSON.stringify({ ...manifest, cost: { perEvent, origin: 'calibrated' } }, null, 2)}\n`);
}
