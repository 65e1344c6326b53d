import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest, SluiceError, type Manifest } from '@sluice/domain';
import type { io } from '@tensorflow/tfjs-core';
import { joinBuffers, type ModelFile } from './weights.ts';

export interface NewModelFolder {
  /** Folder to write; made when missing, an older model in it is replaced. */
  readonly dir: string;
  /** The manifest without digests: they are computed here. */
  readonly manifest: Omit<Manifest, 'files'>;
  /** What `model.save(tf.io.withSaveHandler(...))` hands to its handler. */
  readonly artifacts: io.ModelArtifacts;
}

/**
 * Writes model.json, weights.bin and, last of all, manifest.json with their SHA-256. A folder without manifest.json is
 * no model, so an interrupted write is never served.
 * @returns the manifest as written.
 * @throws SluiceError SLUICE_MODEL_INVALID when the manifest has faults or the artifacts hold no topology or weights.
 */
export async function writeModelFolder({ dir, manifest, artifacts }: NewModelFolder): Promise<Manifest> {
  const { weightData, weightSpecs, modelTopology } = artifacts;
  if (!weightData || !weightSpecs || !modelTopology) {
    throw new SluiceError('SLUICE_MODEL_INVALID', `The artifacts of ${manifest.model} lack a topology or weights.`);
  }
  const weights = joinBuffers(weightData);
  const file = modelFile(manifest.format, artifacts, weightSpecs);
  const topology = Buffer.from(`${JSON.stringify(file)}\n`);
  const complete = parseManifest(
    { ...manifest, files: { 'model.json': sha256(topology), 'weights.bin': sha256(weights) } },
    join(dir, 'manifest.json'),
  );
  await mkdir(dir, { recursive: true });
  await rm(join(dir, 'manifest.json'), { force: true });
  await writeFile(join(dir, 'model.json'), topology);
  await writeFile(join(dir, 'weights.bin'), weights);
  await writeFile(join(dir, 'manifest.json.part'), `${JSON.stringify(complete, null, 2)}\n`);
  await rename(join(dir, 'manifest.json.part'), join(dir, 'manifest.json'));
  return complete;
}

/** SHA-256 in hex, as manifests state it. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Keys in a fixed order and no time stamp: the same weights give the same bytes, hence the same digest. */
function modelFile(format: Manifest['format'], artifacts: io.ModelArtifacts, weights: readonly io.WeightsManifestEntry[]): ModelFile {
  return {
    modelTopology: artifacts.modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights }],
    format: `${format}-model`,
    ...(artifacts.generatedBy === undefined ? {} : { generatedBy: artifacts.generatedBy }),
    ...(artifacts.signature === undefined ? {} : { signature: artifacts.signature }),
    ...(artifacts.userDefinedMetadata === undefined ? {} : { userDefinedMetadata: artifacts.userDefinedMetadata }),
    ...(artifacts.modelInitializer === undefined ? {} : { modelInitializer: artifacts.modelInitializer }),
  };
}
