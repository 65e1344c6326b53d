import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { compileExtractor, type Extractor } from '@sluice/contracts';
import { parseManifest, SluiceError, type Manifest } from '@sluice/domain';
import type { io } from '@tensorflow/tfjs-core';
import { joinBuffers, toArtifacts, weightPaths, type ModelFile } from './weights.ts';
import { sha256 } from './write-model.ts';

/** A model as read from its folder: everything checked, nothing given to TensorFlow.js yet. */
export interface ModelFolder {
  readonly dir: string;
  readonly manifest: Manifest;
  /** SHA-256 of manifest.json, which states those of all other files: one digest for the whole version. */
  readonly digest: string;
  readonly artifacts: io.ModelArtifacts;
  /** Numbers in one input row. */
  readonly width: number;
  /** One per writer schema of the flow, in the flow's order: Avro bytes to one Float32 row. */
  readonly extractors: readonly Extractor[];
}

/**
 * Reads and checks a model folder: manifest.json, model.json and the weight files it names, every digest compared.
 * @param requestSchemas the writer schemas of the flow's requests, Avro schemas as parsed JSON.
 * @throws SluiceError SLUICE_MODEL_MISSING when there is no manifest.json, SLUICE_MODEL_INVALID naming the file at fault,
 * SLUICE_SCHEMA_INVALID when a feature names a field that a schema lacks.
 */
export async function loadModel(dir: string, requestSchemas: readonly object[]): Promise<ModelFolder> {
  const { manifest, digest } = await readManifest(dir);
  const bytes = await readChecked(dir, manifest);
  const file = parseModelFile(bytes.get('model.json'), join(dir, 'model.json'));
  const weights = weightPaths(file).map((path) => {
    const part = bytes.get(path);
    if (!part)
      throw new SluiceError('SLUICE_MODEL_INVALID', `${join(dir, 'model.json')} names ${path}, which manifest.json does not list.`);
    return part.buffer;
  });
  const extractors = requestSchemas.map((schema) => inputExtractor(manifest, schema));
  return { dir, manifest, digest, artifacts: toArtifacts(file, joinBuffers(weights).buffer), width: inputWidth(manifest), extractors };
}

/**
 * Avro bytes to one input row of this model. Training and serving share it, so they cannot drift apart.
 * @throws SluiceError SLUICE_MODEL_INVALID when features and input shape disagree, SLUICE_SCHEMA_INVALID when a field is missing.
 */
export function inputExtractor(manifest: Pick<Manifest, 'model' | 'input'>, schema: object): Extractor {
  const extractor = extractorOf(manifest, schema);
  const width = inputWidth(manifest);
  if (extractor.width !== width) {
    throw new SluiceError(
      'SLUICE_MODEL_INVALID',
      `The features of ${manifest.model} give ${extractor.width} numbers, its input shape takes ${width}.`,
    );
  }
  return extractor;
}

function extractorOf({ model, input }: Pick<Manifest, 'model' | 'input'>, schema: object): Extractor {
  try {
    return compileExtractor(schema, input.features, { flags: false });
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    const name = 'name' in schema ? ` of schema ${String(schema.name)}` : '';
    throw new SluiceError(thrown.code, `${model} does not fit requests${name}: ${thrown.message}`, { cause: thrown.cause });
  }
}

/** Numbers in one input row: the product of the input shape. */
export function inputWidth(manifest: Pick<Manifest, 'input'>): number {
  return manifest.input.shape.reduce((product, size) => product * size, 1);
}

async function readManifest(dir: string): Promise<Pick<ModelFolder, 'manifest' | 'digest'>> {
  const path = join(dir, 'manifest.json');
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new SluiceError('SLUICE_MODEL_MISSING', `There is no model at ${dir}: ${path} cannot be read.`, { cause });
  });
  return { manifest: parseManifest(parseJson(bytes.toString(), path), path), digest: sha256(bytes) };
}

async function readChecked(dir: string, manifest: Manifest): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = Object.entries(manifest.files).map(async ([name, digest]) => {
    const path = join(dir, name);
    if (basename(name) !== name)
      throw new SluiceError('SLUICE_MODEL_INVALID', `${join(dir, 'manifest.json')} lists ${name}, which is no plain file name.`);
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new SluiceError('SLUICE_MODEL_INVALID', `${path} is listed in manifest.json and cannot be read.`, { cause });
    });
    const found = sha256(bytes);
    if (found !== digest)
      throw new SluiceError('SLUICE_MODEL_INVALID', `${path} has the SHA-256 ${found}, manifest.json states ${digest}.`);
    // A copy of its own: small files come out of Node's shared pool, and the weights' buffer must start at 0.
    return [name, new Uint8Array(bytes)] as const;
  });
  return new Map(await Promise.all(files));
}

function parseModelFile(bytes: Uint8Array | undefined, path: string): ModelFile {
  if (!bytes) throw new SluiceError('SLUICE_MODEL_INVALID', `${path} is not listed in manifest.json.`);
  const file = parseJson(Buffer.from(bytes).toString('utf8'), path) as Partial<ModelFile> | null;
  if (!file?.modelTopology || !Array.isArray(file.weightsManifest)) {
    throw new SluiceError('SLUICE_MODEL_INVALID', `${path} is no TensorFlow.js model: it lacks modelTopology or weightsManifest.`);
  }
  return file as ModelFile;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError('SLUICE_MODEL_INVALID', `${path} is not JSON.`, { cause });
  }
}
