import { readFile } from 'node:fs/promises';
import avro from 'avsc';
import { SluiceError } from '@sluice/domain';
import type { ModelFolder } from '@sluice/serving';

/** Input rows of a model with their true labels. */
export interface LabelledRows {
  readonly rows: Float32Array;
  readonly truths: readonly number[];
}

/**
 * Reads a labelled sample: one JSON object a line, `{"label": "spam", "request": {...}}`, the request in Avro's JSON encoding of the
 * flow's first request schema.
 * @throws SluiceError SLUICE_DATA_MISSING when it cannot be read, or naming the line at fault.
 */
export async function readSample(path: string, folder: ModelFolder, schema: object): Promise<LabelledRows> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SluiceError('SLUICE_DATA_MISSING', `The sample ${path} cannot be read.`, { cause });
  });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new SluiceError('SLUICE_DATA_MISSING', `The sample ${path} is empty.`);
  const type = avro.Type.forSchema(schema as avro.Schema);
  const rows = new Float32Array(lines.length * folder.width);
  const truths = lines.map((line, i) => {
    try {
      const { label, request } = JSON.parse(line) as { readonly label: string; readonly request: unknown };
      const truth = folder.manifest.labels.indexOf(label);
      if (truth < 0) throw new Error(`the model has no label ${String(label)}`);
      folder.extractors[0]!.extract(type.toBuffer(type.fromString(JSON.stringify(request))), 0, rows, i * folder.width);
      return truth;
    } catch (cause) {
      throw new SluiceError('SLUICE_DATA_MISSING', `Line ${i + 1} of ${path} is no labelled request.`, { cause });
    }
  });
  return { rows, truths };
}
