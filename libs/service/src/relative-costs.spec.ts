import { parseFlow, parseManifest, type Flow, type Manifest } from '@sluice/domain';
import { relativeCosts } from './relative-costs.ts';

function flowOf(weights?: object): Flow {
  return parseFlow({
    flow: 'mail',
    description: 'Sorts mail.',
    request: { schemas: ['mail.avsc'] },
    labels: ['ham', 'spam'],
    signature: [{ field: 'size', kind: 'number', min: 0, max: 1 }],
    tiers: ['fast', 'heavy'].map((name) => ({ name, model: name })),
    target: {},
    ...(weights !== undefined && { cost: { weights } }),
  });
}

function manifestOf(model: string, cost: object): Manifest {
  const rest = { version: '1.0.0', description: 'd', licence: 'MIT', format: 'layers', files: {}, labels: ['ham', 'spam'] };
  const input = { shape: [1], features: [{ field: 'size', kind: 'number', min: 0, max: 1 }] };
  return parseManifest({ ...rest, model, input, cost: { origin: 'declared', ...cost }, metrics: {}, training: {} }, model);
}

const manifests = [manifestOf('fast', { perEvent: 2, money: 0, energy: 1 }), manifestOf('heavy', { perEvent: 10, money: 4, energy: 2 })];

describe('the cost of a tier', () => {
  it.each<[string, object | undefined, number]>([
    ['is its time, where the flow does not say', undefined, 0.2],
    ['is one dimension, where only that counts', { energy: 3 }, 0.5],
    ['is the mean of what counts, in whatever unit the weights are', { time: 10, money: 30 }, 0.05],
    ['may be weighed of all three', { time: 1, money: 1, energy: 2 }, 0.3],
  ])('%s', (_, weights, expected) => {
    const [fast, heavy] = relativeCosts(flowOf(weights), manifests);
    expect(fast).toBeCloseTo(expected, 12);
    expect(heavy).toBe(1);
  });

  it.each<[string, object, Manifest[], string]>([
    [
      'a dimension that a manifest lacks',
      { money: 1 },
      [manifestOf('fast', { perEvent: 2 }), manifests[1]!],
      'the manifest of fast states no cost.money, which flow mail weighs (cost.weights.money)',
    ],
    [
      'a dimension in which heavy costs nothing',
      { time: 1, energy: 1 },
      [manifests[0]!, manifestOf('heavy', { perEvent: 2, energy: 0 })],
      "the manifest of heavy costs no energy, but the heavy tier's cost is what flow mail measures others by",
    ],
  ])('cannot be told by %s', (_, weights, of, message) => {
    expect(() => relativeCosts(flowOf(weights), of)).toThrow(expect.objectContaining({ code: 'SLUICE_MODEL_INVALID', message }));
  });

  it.each<[object, string]>([
    [{ carbon: 1 }, 'carbon'],
    [{ time: 0 }, 'cost.weights: at least one weight must be above 0'],
    [{ time: -1 }, 'cost.weights.time: '],
  ])('cannot be weighed by %j', (weights, message) => {
    expect(() => flowOf(weights)).toThrow(
      expect.objectContaining({ code: 'SLUICE_FLOW_INVALID', message: expect.stringContaining(message) }),
    );
  });
});
