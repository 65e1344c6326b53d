import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { parseFlow, parseManifest, SluiceError, type Flow, type Manifest } from '@sluice/domain';

/** A flow document with the Avro schemas it names, parsed. */
export interface FlowFiles {
  readonly flow: Flow;
  /** Parsed Avro schemas in the order of `request.schemas`. */
  readonly schemas: readonly object[];
  readonly file: string;
}

/**
 * Reads a flow document (YAML) and its schema files.
 * @throws SluiceError SLUICE_FLOW_INVALID with every fault, or naming the file that cannot be read.
 */
export async function loadFlow(file: string): Promise<FlowFiles> {
  const path = resolve(file);
  const flow = parseFlow(parseYaml(await readText(path, 'SLUICE_FLOW_INVALID'), path), path);
  const schemas = await Promise.all(
    flow.request.schemas.map(async (name) =>
      parseJson(await readText(resolve(dirname(path), name), 'SLUICE_FLOW_INVALID'), name, 'SLUICE_SCHEMA_INVALID'),
    ),
  );
  return { flow, schemas, file: path };
}

/**
 * Reads the manifests of a flow's tiers, cheapest first.
 * @throws SluiceError SLUICE_MODEL_MISSING or SLUICE_MODEL_INVALID naming the folder.
 */
export async function loadManifests(flow: Flow, models: string): Promise<readonly Manifest[]> {
  return Promise.all(
    flow.tiers.map(async ({ model }) => {
      const file = join(models, model, 'manifest.json');
      const manifest = parseManifest(parseJson(await readText(file, 'SLUICE_MODEL_MISSING'), file, 'SLUICE_MODEL_INVALID'), file);
      if (manifest.labels.join() !== flow.labels.join()) {
        throw new SluiceError('SLUICE_MODEL_INVALID', `${file} has labels ${manifest.labels.join()}, the flow has ${flow.labels.join()}`);
      }
      return manifest;
    }),
  );
}

async function readText(path: string, code: 'SLUICE_FLOW_INVALID' | 'SLUICE_MODEL_MISSING'): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new SluiceError(code, `cannot read ${path}`, { cause });
  }
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new SluiceError('SLUICE_FLOW_INVALID', `${path} is not YAML`, { cause });
  }
}

function parseJson(text: string, path: string, code: 'SLUICE_SCHEMA_INVALID' | 'SLUICE_MODEL_INVALID'): object {
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw new SluiceError(code, `${path} is not JSON`, { cause });
  }
}
