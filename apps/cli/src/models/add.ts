import { SluiceError, type CatalogEntry, type Flow, type Manifest } from '@sluice/domain';
import { loadModel, type ModelFolder } from '@sluice/serving';
import { inputRows, readLabelled } from '../labelled-sample.ts';
import { store } from './store.ts';

export interface AddOptions {
  /** The folder to add. */
  readonly dir: string;
  readonly flow: Flow;
  readonly schemas: readonly object[];
  /** Folder of all models. */
  readonly models: string;
  /** File of labelled requests to fit the calibration on. */
  readonly sample?: string;
  readonly now: () => number;
}

/**
 * Checks a model folder against the flow and its digests, runs it on every executor, fits its calibration where there is a sample, and
 * puts it beside the other versions. @returns what to publish.
 * @throws SluiceError SLUICE_MODEL_MISSING, SLUICE_MODEL_INVALID, SLUICE_SCHEMA_INVALID, SLUICE_DATA_MISSING.
 */
export async function addModel({ dir, flow, schemas, models, sample, now }: AddOptions): Promise<CatalogEntry> {
  const folder = await loadModel(dir, schemas);
  checkAgainst(flow, folder.manifest);
  const { examineModel } = await import('@sluice/serving/examine');
  const measured = await examineModel(folder);
  if (!measured.some(({ executor, refused }) => executor !== 'cpu' && refused === '')) {
    const reasons = measured.filter(({ refused }) => refused !== '').map(({ executor, refused }) => `${executor}: ${refused}`);
    throw new SluiceError('SLUICE_MODEL_INVALID', `${dir} can be served by no executor here. ${reasons.join('; ')}`);
  }
  const manifest = sample === undefined ? folder.manifest : await calibrated(folder, sample, schemas[0]!);
  const { model, version } = manifest;
  const stored = await store(dir, { models, manifest });
  return { model, version, digest: stored.digest, folder: stored.folder, at: now(), measured };
}

function checkAgainst(flow: Flow, { model, labels }: Manifest): void {
  const names = flow.tiers.map((tier) => tier.model);
  if (!names.includes(model))
    throw new SluiceError(
      'SLUICE_MODEL_INVALID',
      `No tier of flow ${flow.flow} is served by ${model}; its models are ${names.join(', ')}.`,
    );
  if (labels.join() !== flow.labels.join())
    throw new SluiceError('SLUICE_MODEL_INVALID', `${model} has the labels ${labels.join()}, flow ${flow.flow} has ${flow.labels.join()}.`);
}

async function calibrated(folder: ModelFolder, sample: string, schema: object): Promise<Manifest> {
  const { fitCalibration, scoresOf } = await import('@sluice/serving/examine');
  const { labels } = folder.manifest;
  const requests = await readLabelled(sample, labels, schema);
  const scores = await scoresOf(folder, inputRows(folder, requests));
  const truths = requests.map(({ truth }) => truth);
  return { ...folder.manifest, calibration: fitCalibration({ scores, truths, labels: labels.length }) };
}
