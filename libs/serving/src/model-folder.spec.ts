import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageSchema, makeModel, numbersSchema } from '../testing/models.ts';
import { loadModel } from './model-folder.ts';

describe('a model folder', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-model-'));
    await makeModel('mlp', dir);
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is read back as it was written', async () => {
    const folder = await loadModel(dir, [numbersSchema]);
    expect(folder.manifest.model).toBe('mlp');
    expect(folder.width).toBe(30);
    expect(folder.artifacts.weightSpecs).toHaveLength(6);
    expect((folder.artifacts.weightData as ArrayBuffer).byteLength).toBe((30 * 64 + 64 + 64 * 32 + 32 + 32 * 2 + 2) * 4);
    expect(folder.extractors).toHaveLength(1);
  });

  it('has the same bytes whenever the same model is written', async () => {
    const before = await readFile(join(dir, 'manifest.json'), 'utf8');
    await makeModel('mlp', dir);
    expect(await readFile(join(dir, 'manifest.json'), 'utf8')).toBe(before);
  });

  it('says which model does not fit which requests', async () => {
    await expect(loadModel(dir, [numbersSchema, imageSchema])).rejects.toMatchObject({
      code: 'SLUICE_SCHEMA_INVALID',
      message: 'mlp does not fit requests of schema Image: there is no field x0: the record has pixels',
    });
  });

  it('is missing without manifest.json', async () => {
    await rm(join(dir, 'manifest.json'));
    await expect(loadModel(dir, [])).rejects.toMatchObject({
      code: 'SLUICE_MODEL_MISSING',
      message: expect.stringContaining('manifest.json'),
    });
  });

  it.each([
    ['a lost weight file', (at: string) => rm(join(at, 'weights.bin')), 'weights.bin'],
    ['a changed weight file', (at: string) => writeFile(join(at, 'weights.bin'), 'other'), 'weights.bin has the SHA-256'],
    ['a changed model.json', (at: string) => writeFile(join(at, 'model.json'), '{}'), 'model.json has the SHA-256'],
    ['a manifest that is not JSON', (at: string) => writeFile(join(at, 'manifest.json'), '{'), 'manifest.json is not JSON'],
    ['a manifest with faults', (at: string) => writeFile(join(at, 'manifest.json'), '{}'), 'manifest.json has'],
    ['features of another width', (at: string) => edit(at, (m) => void (m.input.shape = [31])), 'give 30 numbers'],
    ['a file outside of it', (at: string) => edit(at, (m) => void (m.files['../weights.bin'] = '0'.repeat(64))), 'no plain file name'],
    ['a weight file that has no digest', (at: string) => edit(at, (m) => delete m.files['weights.bin']), 'names weights.bin'],
  ])('is invalid with %s, and the file is named', async (_, damage, said) => {
    await damage(dir);
    await expect(loadModel(dir, [numbersSchema])).rejects.toMatchObject({
      code: 'SLUICE_MODEL_INVALID',
      message: expect.stringContaining(said),
    });
  });
});

async function edit(dir: string, change: (manifest: { input: { shape: number[] }; files: Record<string, string> }) => void): Promise<void> {
  const manifest = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8'));
  change(manifest);
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));
}
