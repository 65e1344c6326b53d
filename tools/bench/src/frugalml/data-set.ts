import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** One prediction service of a FrugalML data set, as logged by its authors (NeurIPS 2020, arXiv 2006.07512). */
export interface Service {
  readonly name: string;
  /** US dollars per 10,000 calls. */
  readonly cost: number;
  readonly labels: Float64Array;
  /** The service's own score, not a probability. */
  readonly confidences: Float64Array;
  /** Share of events on which its label is the true one. */
  readonly accuracy: number;
}

export interface FrugalmlSet {
  readonly name: string;
  readonly truths: Float64Array;
  /** Labels are 0 .. labels - 1. */
  readonly labels: number;
  readonly services: readonly Service[];
}

/** Reads `DIR/NAME/{meta.csv, TrueLabel.txt.gz, Model<ID>_PredictedLabel.txt.gz, Model<ID>_Confidence.txt.gz}`; undefined when absent. */
export function readFrugalmlSet(directory: string, name: string): FrugalmlSet | undefined {
  const folder = join(directory, name);
  if (!existsSync(join(folder, 'meta.csv'))) return undefined;
  const truths = readColumn(folder, 'TrueLabel');
  const rows = readFileSync(join(folder, 'meta.csv'), 'utf8').trim().split(/\r?\n/).slice(1);
  const services = rows.map((row) => readService(folder, row.split(','), truths));
  if (truths.length < 100 || services.length < 2)
    throw new Error(`${folder} logs ${services.length} services on ${truths.length} events: at least 2 and 100 are needed`);
  return { name, truths, labels: labelsOf([truths, ...services.map(({ labels }) => labels)], folder), services };
}

/** Names of the sub-folders that are sets, sorted. */
export function setsIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, 'meta.csv')))
    .sort();
}

function readService(folder: string, [id, name, cost]: readonly string[], truths: Float64Array): Service {
  const labels = readColumn(folder, `Model${id}_PredictedLabel`);
  const confidences = readColumn(folder, `Model${id}_Confidence`);
  if (labels.length !== truths.length || confidences.length !== truths.length)
    throw new Error(`${folder}: the columns of model ${id} have not the length of the truth`);
  if (!(Number(cost) >= 0)) throw new Error(`${folder}: the cost of model ${id} is ${cost}`);
  if (confidences.some((value) => value < 0 || value > 1)) throw new Error(`${folder}: a confidence of model ${id} is not between 0 and 1`);
  const accuracy = labels.reduce((sum, label, event) => sum + (label === truths[event] ? 1 : 0), 0) / truths.length;
  return { name: name ?? String(id), cost: Number(cost), labels, confidences, accuracy };
}

function labelsOf(columns: readonly Float64Array[], folder: string): number {
  let largest = 0;
  for (const label of columns.flatMap((column) => [...column])) {
    if (!Number.isInteger(label) || label < 0) throw new Error(`${folder}: ${label} is no label`);
    if (label > largest) largest = label;
  }
  return largest + 1;
}

function readColumn(folder: string, column: string): Float64Array {
  const text = gunzipSync(readFileSync(join(folder, `${column}.txt.gz`))).toString('utf8');
  const values = Float64Array.from(text.trim().split('\n'), Number);
  if (values.some((value) => Number.isNaN(value))) throw new Error(`${folder}: ${column} holds something that is not a number`);
  return values;
}
