import { parseManifest } from './manifest.ts';

const manifest = {
  model: 'mail-fast',
  version: '1.0.0',
  description: 'Logistic regression over hashed subjects.',
  licence: 'Apache-2.0',
  format: 'layers',
  files: { 'model.json': 'a'.repeat(64) },
  labels: ['ham', 'spam'],
  input: { shape: [256], features: [{ field: 'subject', kind: 'text' }] },
  cost: { perEvent: 3.5, origin: 'calibrated' },
  metrics: { accuracy: 0.9 },
  training: { seed: 1, shuffled: true, data: 'spam-assassin' },
};

describe('a manifest', () => {
  it('is taken with the defaults of its features filled in', () => {
    expect(parseManifest(manifest, 'm').input.features).toEqual([
      { field: 'subject', kind: 'text', buckets: 256, maxBytes: 1024, ngrams: 1, seed: 0 },
    ]);
  });

  it.each<[string, object, string]>([
    ['a digest that is none', { files: { 'model.json': 'abc' } }, 'files.model.json: a SHA-256 in hex'],
    ['a version without three parts', { version: '1.0' }, 'version: a version such as 1.0.0'],
    ['a cost of nothing', { cost: { perEvent: 0, origin: 'declared' } }, 'cost.perEvent: '],
    ['a dimension of cost nobody knows', { cost: { perEvent: 1, carbon: 2, origin: 'declared' } }, 'cost: Unrecognized key: "carbon"'],
    ['an input without features', { input: { shape: [1], features: [] } }, 'input.features: '],
    ['a field nobody knows', { author: 'x' }, '(document): '],
  ])('is refused for %s', (_, changes, fault) => {
    const expected = { code: 'SLUICE_MODEL_INVALID', message: expect.stringContaining(fault) };
    expect(() => parseManifest({ ...manifest, ...changes }, 'models/mail-fast/manifest.json')).toThrow(expect.objectContaining(expected));
  });

  it('is refused with all faults and the file they are in', () => {
    expect(() => parseManifest({}, 'models/x/manifest.json')).toThrow(/^models\/x\/manifest\.json has 11 faults:/);
  });
});
