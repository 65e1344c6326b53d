import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { SluiceError, type Manifest } from '@sluice/domain';
import { writeModelFolder } from '@sluice/serving';

/** What a file `model.min.js` of the package exports: the model.json of a converter. */
interface ModelScript {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: NonNullable<Artifacts['weightSpecs']> }[];
}

type Artifacts = Parameters<typeof writeModelFolder>[0]['artifacts'];

/** The order of the networks' outputs. */
export const photoLabels = ['drawing', 'hentai', 'neutral', 'porn', 'sexy'] as const;

const networks = [
  { model: 'photos-fast', folder: 'mobilenet_v2', name: 'MobileNetV2', size: 224, perEvent: 57_000 },
  { model: 'photos-heavy', folder: 'inception_v3', name: 'Inception V3', size: 299, perEvent: 459_000 },
] as const;

/**
 * Makes model folders of the two image-moderation networks that the npm package `nsfwjs` carries, weights included. Nothing in them is
 * code: a manifest, a model.json, a weight file.
 * @param packageDir the unpacked package.
 * @throws SluiceError SLUICE_DATA_MISSING when the package is not there.
 */
export async function writePhotoModels(packageDir: string, out: string): Promise<Manifest[]> {
  if (!existsSync(join(packageDir, 'dist/models')))
    throw new SluiceError('SLUICE_DATA_MISSING', `${packageDir} is not the npm package nsfwjs, version 4: it has no dist/models.`);
  const manifests: Manifest[] = [];
  for (const network of networks) {
    const artifacts = readNetwork(join(packageDir, 'dist/models', network.folder));
    manifests.push(await writeModelFolder({ dir: join(out, network.model), manifest: manifestOf(network), artifacts }));
  }
  return manifests;
}

/** Each file is a script that exports one object, or one base64 text for a shard of the weights. */
function readNetwork(dir: string): Artifacts {
  const load = createRequire(import.meta.url);
  const { modelTopology, weightsManifest } = load(join(dir, 'model.min.js')) as ModelScript;
  const shards = weightsManifest.flatMap(({ paths }) => paths).map((path) => load(join(dir, `${path}.min.js`)) as string);
  const weights = Buffer.concat(shards.map((shard) => Buffer.from(shard, 'base64')));
  return { modelTopology, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData: new Uint8Array(weights).buffer };
}

function manifestOf({ model, name, size, perEvent }: (typeof networks)[number]): Omit<Manifest, 'files'> {
  return {
    model,
    version: '4.4.0',
    description: `${name} for moderating images, as the npm package nsfwjs carries it.`,
    card: 'Made for images on web pages; its authors report about 90 % accuracy. Not for decisions about people without a person.',
    licence: 'MIT',
    format: 'layers',
    labels: [...photoLabels],
    input: {
      shape: [size, size, 3],
      // As nsfwjs itself does: values from 0 to 1, corner pixels kept in place.
      features: [
        {
          ...{ field: 'photo', kind: 'image', width: size, height: size, channels: 3, resize: 'bilinear-corners' },
          ...{ divide: 255, subtract: 0, maxPixels: 16_777_216 },
        },
      ],
    },
    cost: { perEvent, origin: 'declared' },
    limits: { timeoutMs: 60_000, maxBatch: 8 },
    metrics: {},
    training: { by: 'the authors of nsfwjs' },
  };
}
