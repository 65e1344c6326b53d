import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest, SluiceError, type Manifest } from '@sluice/domain';

/** A version as it lies in the folder of all models. */
export interface Stored {
  /** `mail-fast`, the version that a flow starts with, or `mail-fast@1.1.0`, one that was added. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly digest: string;
}

/** Reads the manifest in a model folder. @throws SluiceError SLUICE_MODEL_MISSING or SLUICE_MODEL_INVALID naming the file. */
export async function readStored(models: string, folder: string): Promise<Stored> {
  const path = join(models, folder, 'manifest.json');
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new SluiceError('SLUICE_MODEL_MISSING', `There is no model at ${join(models, folder)}.`, { cause });
  });
  return { folder, manifest: parseManifest(JSON.parse(bytes.toString()), path), digest: createHash('sha256').update(bytes).digest('hex') };
}

/** Every version in the folder of all models, by name. */
export async function listStored(models: string): Promise<Stored[]> {
  const entries = await readdir(models, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  return Promise.all(folders.sort().map((folder) => readStored(models, folder)));
}

/**
 * Copies a model folder beside the others as `<model>@<version>`, with `manifest` as its manifest. A version never changes: the
 * same one again is left as it is.
 * @throws SluiceError SLUICE_MODEL_INVALID when that version is there with other bytes.
 */
export async function store(from: string, { models, manifest }: { readonly models: string; readonly manifest: Manifest }): Promise<Stored> {
  const folder = `${manifest.model}@${manifest.version}`;
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const there = await readStored(models, folder).catch(() => undefined);
  if (there) {
    if (there.digest === createHash('sha256').update(text).digest('hex')) return there;
    throw new SluiceError('SLUICE_MODEL_INVALID', `${join(models, folder)} holds other bytes: give what changed a version of its own.`);
  }
  const part = join(models, `.${folder}.part`);
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  for (const file of Object.keys(manifest.files)) await cp(join(from, file), join(part, file));
  await writeFile(join(part, 'manifest.json'), text);
  await rename(part, join(models, folder));
  return readStored(models, folder);
}

/** Deletes a version. */
export async function unstore(models: string, folder: string): Promise<void> {
  await readStored(models, folder);
  await rm(join(models, folder), { recursive: true });
}
