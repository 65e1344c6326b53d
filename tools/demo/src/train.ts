import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseManifest, type Envelope, type Flow, type Manifest } from '@sluice/domain';
import { writeModelFolder } from '@sluice/serving';
import { loadFlow } from '@sluice/service';
import type { io } from '@tensorflow/tfjs-core';
import { openTrainingBackend, type BackendChoice, type Tf, type TrainingBackend } from './backend.ts';
import { calibrate } from './calibrate.ts';
import { openDataset, type Dataset } from './dataset.ts';
import { envelopeOf } from './envelope.ts';
import { accuracy, fit, predict } from './fit.ts';
import type { Net } from './net.ts';
import { sampleRows } from './sample-rows.ts';
import { demoTiers, type DemoFlow, type DemoTier } from './tiers.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
/** The shipped weights. */
export const shippedModels = join(here, '../models');

/** The flow file of a demo flow. */
export function demoFlowFile(flow: DemoFlow): string {
  return join(here, `../../../infra/flows/${flow}.yaml`);
}

export interface TrainOptions {
  readonly flow: DemoFlow;
  /** Folder in IDX layout: flow `images` only. */
  readonly data?: string | undefined;
  /** Folder that gets one model folder a tier. */
  readonly out: string;
  readonly seed: number;
  /** Train only these models; default all of the flow. */
  readonly models?: readonly string[];
  readonly backend?: BackendChoice;
  readonly onProgress?: (text: string) => void;
}

interface Workshop {
  readonly flow: Flow;
  readonly schema: object;
  readonly dataset: Dataset;
  readonly backend: TrainingBackend;
  readonly options: TrainOptions;
}

/**
 * Trains the tiers of a demo flow and writes their model folders, metrics and costs in the manifests.
 * Each tier depends on data and seed only, not on the tiers before it.
 * @throws SluiceError SLUICE_DATA_MISSING where the data is missing.
 */
export async function trainTiers(options: TrainOptions): Promise<Manifest[]> {
  const { flow, schemas } = await loadFlow(demoFlowFile(options.flow));
  const dataset = openDataset({ flow, schemas, data: options.data });
  const backend = await openTrainingBackend(options.backend);
  options.onProgress?.(`training on the ${backend.name} backend: ${backend.why}`);
  const workshop: Workshop = { flow, schema: schemas[0]!, dataset, backend, options };
  const chosen = demoTiers[options.flow].filter((tier) => options.models?.includes(tier.model) ?? true);
  const dirs: string[] = [];
  for (const tier of chosen) dirs.push(await trainTier(workshop, tier));
  // Costs come last: measuring switches the process over to WASM.
  const costs = await calibrate({ dirs, schema: workshop.schema, dataset });
  chosen.forEach((tier, i) => options.onProgress?.(`${tier.model}: ${costs[i]} us an event`));
  return Promise.all(dirs.map(async (dir) => parseManifest(JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')), dir)));
}

/** Measures the costs of the tiers in `out` anew and states them in their manifests; nothing is trained. For a quiet machine. */
export async function recalibrateTiers({ flow: name, data, out, onProgress }: Omit<TrainOptions, 'seed'>): Promise<void> {
  const { flow, schemas } = await loadFlow(demoFlowFile(name));
  const dirs = demoTiers[name].map(({ model }) => join(out, model));
  const costs = await calibrate({ dirs, schema: schemas[0]!, dataset: openDataset({ flow, schemas, data }) });
  demoTiers[name].forEach(({ model }, i) => onProgress?.(`${model}: ${costs[i]} us an event`));
}

/** Trains one tier and writes its folder, its cost still unknown; returns the folder. */
async function trainTier(workshop: Workshop, tier: DemoTier): Promise<string> {
  const { flow, schema, dataset, backend, options } = workshop;
  const training = sampleRows(dataset.training, schema, tier.features);
  const holdout = sampleRows(dataset.stream, schema, tier.features);
  const net = await fit({
    backend,
    spec: tier.net,
    recipe: tier.recipe,
    rows: training,
    labels: flow.labels.length,
    seed: options.seed,
    onEpoch: ({ epoch, epochs, loss, seconds }) =>
      options.onProgress?.(`${tier.model}: epoch ${epoch} of ${epochs}, loss ${loss.toFixed(4)}, ${seconds.toFixed(1)} s`),
  });
  const metrics = {
    accuracy: round(accuracy(predict(backend, net, holdout), holdout)),
    trainingAccuracy: round(accuracy(predict(backend, net, training), training)),
    holdout: holdout.count,
    parameters: net.variables.reduce((sum, variable) => sum + variable.size, 0),
  };
  const artifacts = await savedArtifacts(backend.tf, net);
  net.dispose();
  const envelope = envelopeOf(dataset.training, schema, tier.features);
  const manifest = manifestOf(tier, { flow, metrics, envelope, seed: options.seed, data: dataset.name, backend: backend.name });
  options.onProgress?.(`${tier.model}: accuracy ${metrics.accuracy}`);
  const dir = join(options.out, tier.model);
  await writeModelFolder({ dir, manifest, artifacts });
  return dir;
}

interface ManifestFacts {
  readonly flow: Flow;
  readonly metrics: Record<string, number>;
  readonly envelope: Envelope;
  readonly seed: number;
  readonly data: string;
  readonly backend: string;
}

function manifestOf(tier: DemoTier, { flow, metrics, envelope, seed, data, backend }: ManifestFacts): Omit<Manifest, 'files'> {
  const { epochs, batch, rate, decay, smoothing, weights = [], augment } = tier.recipe;
  return {
    model: tier.model,
    version: '1.0.0',
    description: tier.description,
    licence: 'Apache-2.0',
    format: 'layers',
    labels: flow.labels,
    input: { shape: [...tier.net.shape], features: [...tier.features] },
    envelope,
    cost: { perEvent: 1, origin: 'declared' },
    metrics,
    training: { seed, data, backend, epochs, batch, rate, decay, smoothing, weights: weights.join(' '), augmented: augment !== undefined },
  };
}

async function savedArtifacts(tf: Tf, net: Net): Promise<io.ModelArtifacts> {
  const model = net.toLayersModel();
  let saved: io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  model.dispose();
  return saved!;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
