import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FlowFiles } from '@sluice/service';

/** Writes a flow, as changed by the options of a run, with its schemas into a folder of their own: what the apps are started with. */
export async function writeFlowDocument(folder: string, { flow, schemas }: Pick<FlowFiles, 'flow' | 'schemas'>): Promise<FlowFiles> {
  await mkdir(folder, { recursive: true });
  const names = schemas.map((_, index) => `request-${index}.avsc`);
  await Promise.all(names.map((name, index) => writeFile(join(folder, name), JSON.stringify(schemas[index], null, 2))));
  const file = join(folder, 'flow.json');
  const written = { ...flow, request: { ...flow.request, schemas: names } };
  await writeFile(file, JSON.stringify(written, null, 2));
  return { flow: written, schemas, file };
}
