import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManifest } from '@sluice/domain';
import { loadModel } from '@sluice/serving';
import { loadFlow } from '@sluice/service';
import { openDataset } from './dataset.ts';
import { offlineAnswers } from './offline.ts';
import { demoTiers, type DemoFlow } from './tiers.ts';
import { demoFlowFile, shippedModels, trainTiers } from './train.ts';

const manifestOf = (model: string) => parseManifest(JSON.parse(readFileSync(join(shippedModels, model, 'manifest.json'), 'utf8')), model);
/** The images are no part of the repository: SLUICE_IMAGES_DIR names their folder. */
const images = process.env['SLUICE_IMAGES_DIR'] ?? join(shippedModels, '../../../../shared/data/fashion-mnist');

describe('the shipped weights', () => {
  it.each(
    Object.values(demoTiers)
      .flat()
      .map((tier) => tier.model),
  )('%s: every file has the digest of its manifest', async (model) => {
    const flow = model.split('-')[0] as DemoFlow;
    const { schemas } = await loadFlow(demoFlowFile(flow));
    await expect(loadModel(join(shippedModels, model), schemas)).resolves.toMatchObject({ manifest: { model } });
  });

  it('are described in the README with the accuracy of their manifests', () => {
    const readme = readFileSync(join(shippedModels, '../README.md'), 'utf8');
    for (const { model } of Object.values(demoTiers).flat()) {
      expect(readme).toMatch(new RegExp(`\\| ${model} +\\|.*\\| ${manifestOf(model).metrics['accuracy']!.toFixed(3)} +\\|`));
    }
  });

  it('take at most 4 MB', () => {
    const sizes = readdirSync(shippedModels, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(4_000_000);
  });

  it('come out again, byte for byte, when mail-fast is trained with its seed on WASM', async () => {
    const out = mkdtempSync(join(tmpdir(), 'sluice-tiers-'));
    try {
      const shipped = manifestOf('mail-fast');
      const [made] = await trainTiers({
        flow: 'mail',
        out,
        seed: Number(shipped.training['seed']),
        models: ['mail-fast'],
        backend: 'wasm',
      });
      expect(made!.files).toEqual(shipped.files);
      expect(made!.metrics).toEqual(shipped.metrics);
    } finally {
      rmSync(out, { recursive: true });
    }
  }, 60_000);
});

async function accuracies(flowName: DemoFlow, data: string | undefined, every: number): Promise<number[]> {
  const { flow, schemas } = await loadFlow(demoFlowFile(flowName));
  const dataset = openDataset({ flow, schemas, data });
  const samples = Array.from({ length: Math.ceil(dataset.stream.count / every) }, (_, i) => i * every);
  const { answers } = await offlineAnswers({ flow, schemas, dataset, models: shippedModels, samples });
  return answers.map((tier) => samples.filter((sample) => tier[sample] === dataset.stream.label(sample)).length / samples.length);
}

describe('the accuracy in the manifests', () => {
  it('of the mail tiers is what the shipped weights reach on the stream, and rises from tier to tier', async () => {
    const found = await accuracies('mail', undefined, 1);
    demoTiers.mail.forEach((tier, i) => expect(found[i]).toBeCloseTo(manifestOf(tier.model).metrics['accuracy']!, 3));
    expect(found).toEqual([...found].sort());
  }, 60_000);

  // A thousand of the 10,000 test images: their accuracy is within 3 standard deviations (about 0.03) of the whole's.
  (existsSync(images) ? it : it.skip)(
    `of the images tiers is what the shipped weights reach on a sample (needs the images: ${images})`,
    async () => {
      const found = await accuracies('images', images, 10);
      demoTiers.images.forEach((tier, i) => expect(Math.abs(found[i]! - manifestOf(tier.model).metrics['accuracy']!)).toBeLessThan(0.035));
    },
    60_000,
  );
});

describe('the cost in the manifests', () => {
  it('was measured, at least doubles from fast to standard and quadruples from standard to heavy', () => {
    for (const tiers of Object.values(demoTiers)) {
      const [fast, standard, heavy] = tiers.map((tier) => manifestOf(tier.model).cost);
      expect([fast, standard, heavy].map((cost) => cost!.origin)).toEqual(['calibrated', 'calibrated', 'calibrated']);
      expect(standard!.perEvent / fast!.perEvent).toBeGreaterThan(2);
      expect(heavy!.perEvent / standard!.perEvent).toBeGreaterThan(4);
    }
  });
});
