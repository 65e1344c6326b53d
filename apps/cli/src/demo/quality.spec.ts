import type { Flow, Prediction } from '@sluice/domain';
import { quality } from './quality.ts';

const flow = { labels: ['ham', 'spam'], tiers: [{ name: 'fast' }, { name: 'standard' }, { name: 'heavy' }] } as Flow;
const costs = [0.1, 0.3, 1];

function served(id: string, label: string, tiers: readonly string[], audited = false): Prediction {
  const answers = tiers.map((tier) => ({ tier }));
  const cost = tiers.reduce((sum, tier) => sum + costs[flow.tiers.findIndex(({ name }) => name === tier)]!, 0);
  return { id, label, cost, answers, audit: { probability: 0.1, drawn: audited } } as unknown as Prediction;
}

describe('quality', () => {
  const predictions = [served('a', 'ham', ['fast'], true), served('b', 'ham', ['fast']), served('c', 'spam', ['fast', 'heavy'])];
  const alternatives = new Map([
    ['a', { truth: 0, answers: [0, 0, 0] }],
    // Heavy is right, the served answer is wrong: harm.
    ['b', { truth: 1, answers: [0, 0, 1] }],
    ['c', { truth: 1, answers: [0, 0, 1] }],
  ]);
  const result = quality(flow, { predictions, alternatives, costs });

  it('counts as loss only what heavy would have got right', () => {
    expect(result.realised).toBeCloseTo(1 / 3);
    const heavyErrsToo = new Map(alternatives).set('b', { truth: 1, answers: [0, 0, 0] });
    expect(quality(flow, { predictions, alternatives: heavyErrsToo, costs }).realised).toBe(0);
  });

  it('compares with each tier alone on the same events', () => {
    expect(result.accuracy).toEqual({ served: 0.6667, alwaysHeavy: 1, alwaysFast: 0.3333 });
  });

  it('charges an audit for every tier that had not answered', () => {
    expect(result.cost.audits).toBeCloseTo((0.3 + 1) / 3, 4);
    expect(result.cost.served).toBeCloseTo((0.1 + 0.1 + 1.1 + 1.3) / 3, 4);
  });
});
