import { performance } from 'node:perf_hooks';
import { SluiceError, toSluiceError, type Answer, type Measured } from '@sluice/domain';
import { readAnswer } from './answer.ts';
import { disagreement, largest } from './calibrate.ts';
import type { ModelFolder } from './model-folder.ts';
import { setNativeEnvironment } from './native-environment.ts';
import { openOn } from './load-executor.ts';
import { openExecutor } from './open-executor.ts';
import { sampleRows } from './sample-rows.ts';
import { fitTemperature, logLoss, soften, type LabelledScores } from './temperature.ts';

export interface ExamineOptions {
  /** Milliseconds that timing one executor may take. Default 500. */
  readonly budget?: number;
  /** Largest batch that is timed. Default: the manifest's, else 128. */
  readonly maxBatch?: number;
}

const contenders = ['compiled', 'wasm', 'native', 'frozen', 'webgpu'] as const;
/** The oracle is slow: it answers as many rows as it can in this many milliseconds, at least one. */
const oracleBudget = 3000;
const mostRows = 64;

/**
 * Holds every executor that loads here against the oracle, TensorFlow.js in plain JavaScript, on made-up rows, and times it.
 * Loads TensorFlow.js into the calling thread. The oracle comes first, without times.
 * @throws SluiceError SLUICE_MODEL_INVALID when the oracle cannot run the model.
 */
export async function examineModel(folder: ModelFolder, options: ExamineOptions = {}): Promise<Measured[]> {
  setNativeEnvironment(process.env);
  const oracle = await askOracle(folder);
  const measured: Measured[] = [{ executor: 'cpu', apart: 0, otherLabels: 0, refused: '', timings: [] }];
  for (const name of contenders) measured.push(await examineOne(folder, { name, oracle, options }));
  return measured;
}

/** What rows of inputs come to on WebAssembly: scores to fit a calibration on. */
export async function scoresOf(folder: ModelFolder, rows: Float32Array): Promise<Float32Array> {
  const executor = await openOn('wasm', folder);
  const [n, labels, batch] = [rows.length / folder.width, folder.manifest.labels.length, 32];
  const scores = new Float32Array(n * labels);
  for (let at = 0; at < n; at += batch) {
    const count = Math.min(batch, n - at);
    scores.set(executor.run(rows.subarray(at * folder.width), count).subarray(0, count * labels), at * labels);
  }
  executor.dispose();
  return scores;
}

/**
 * What a tier answers to rows of inputs, as its worker would: calibrated where the manifest says how.
 * @throws SluiceError SLUICE_MODEL_INVALID when a row's outputs are no distribution over the labels.
 */
export async function answersOf(folder: ModelFolder, tier: string, rows: Float32Array): Promise<Answer[]> {
  const { model, version, labels, calibration } = folder.manifest;
  const scores = await scoresOf(folder, rows);
  soften(scores, labels.length, calibration?.temperature ?? 1);
  return Array.from({ length: scores.length / labels.length }, (_, row) => {
    const answer = readAnswer(scores, row * labels.length, { tier, model, version, labels: labels.length });
    if (typeof answer === 'string') throw new SluiceError('SLUICE_MODEL_INVALID', `${model}, row ${row} of the sample: ${answer}`);
    return answer;
  });
}

/** The temperature that suits labelled scores best, as a manifest states it. */
export function fitCalibration(labelled: LabelledScores): NonNullable<ModelFolder['manifest']['calibration']> {
  const temperature = Number(fitTemperature(labelled).toFixed(4));
  return { temperature, rows: labelled.truths.length, before: logLoss(labelled, 1), after: logLoss(labelled, temperature) };
}

interface Oracle {
  readonly rows: Float32Array;
  readonly n: number;
  readonly scores: Float32Array;
}

async function askOracle(folder: ModelFolder): Promise<Oracle> {
  const executor = await openOn('cpu', folder);
  const rows = sampleRows(folder.manifest, mostRows);
  const start = performance.now();
  const first = Float32Array.from(executor.run(rows, 1));
  const n = Math.max(1, Math.min(mostRows, Math.floor(oracleBudget / (performance.now() - start + 0.01))));
  const scores = n > 1 ? Float32Array.from(executor.run(rows, n)) : first;
  executor.dispose();
  return { rows, n, scores };
}

interface Contender {
  readonly name: (typeof contenders)[number];
  readonly oracle: Oracle;
  readonly options: ExamineOptions;
}

async function examineOne(folder: ModelFolder, { name, oracle, options }: Contender): Promise<Measured> {
  const { budget = 500, maxBatch = folder.manifest.limits?.maxBatch ?? 128 } = options;
  try {
    const { executor, timings } = await openExecutor(folder, { backend: name, requireGpu: false, maxBatch, calibration: 2 * budget });
    const scores = executor.run(oracle.rows, oracle.n);
    const labels = folder.manifest.labels.length;
    const apart = scores.reduce((most, score, i) => Math.max(most, Math.abs(score - oracle.scores[i]!)), 0);
    const refused = disagreement(scores, oracle.scores, labels) ?? '';
    const otherLabels = countOther(scores, oracle.scores, labels);
    executor.dispose();
    return { executor: name, apart, otherLabels, refused: refused && `differs from the oracle, ${refused}`, timings };
  } catch (thrown) {
    return { executor: name, apart: 0, otherLabels: 0, refused: toSluiceError(thrown, 'SLUICE_MODEL_INVALID').message, timings: [] };
  }
}

function countOther(one: Float32Array, other: Float32Array, labels: number): number {
  let count = 0;
  for (let row = 0; row * labels < one.length; row++) if (largest(one, row, labels) !== largest(other, row, labels)) count++;
  return count;
}

export { surveyExecutors, type Surveyed } from './survey.ts';
