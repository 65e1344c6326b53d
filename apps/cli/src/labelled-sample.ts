import { readFile } from 'node:fs/promises';
import avro from 'avsc';
import { encodeSingleObject, singleObjectHeader } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import type { ModelFolder } from '@sluice/serving';

/** Requests whose true labels are known, each as its producer would publish it. */
export interface LabelledRequest {
  /** Avro single-object encoding. */
  readonly value: Buffer;
  /** Index into the labels. */
  readonly truth: number;
}

/**
 * Reads a labelled sample: one JSON object a line, `{"label": "spam", "request": {...}}`, the request in Avro's JSON encoding of the
 * flow's first request schema.
 * @throws SluiceError SLUICE_DATA_MISSING when it cannot be read, or naming the line at fault.
 */
export async function readLabelled(path: string, labels: readonly string[], schema: object): Promise<LabelledRequest[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SluiceError('SLUICE_DATA_MISSING', `The sample ${path} cannot be read.`, { cause });
  });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new SluiceError('SLUICE_DATA_MISSING', `The sample ${path} is empty.`);
  const type = avro.Type.forSchema(schema as avro.Schema);
  return lines.map((line, i) => {
    try {
      const { label, request } = JSON.parse(line) as { readonly label: string; readonly request: unknown };
      const truth = labels.indexOf(label);
      if (truth < 0) throw new Error(`there is no label ${String(label)}`);
      return { value: encodeSingleObject(type, type.fromString(JSON.stringify(request))), truth };
    } catch (cause) {
      throw new SluiceError('SLUICE_DATA_MISSING', `Line ${i + 1} of ${path} is no labelled request.`, { cause });
    }
  });
}

/** Input rows of a model. @throws SluiceError the extractor's. */
export function inputRows(folder: ModelFolder, requests: readonly LabelledRequest[]): Float32Array {
  const rows = new Float32Array(requests.length * folder.width);
  requests.forEach(({ value }, i) => folder.extractors[0]!.extract(value, singleObjectHeader, rows, i * folder.width));
  return rows;
}
