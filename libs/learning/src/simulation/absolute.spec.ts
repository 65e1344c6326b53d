import { flowOf, tierNames } from '../testing/fixtures.ts';
import { meanOf, simulate, streamWidth, syntheticStream, type Simulation } from './index.ts';

const events = 12_000;
/** Heavy is wrong on about 4 % of the events. */
const stream = syntheticStream({ seed: 6, events, strengths: [0.75, 1.6, 2.6], tiers: tierNames });
const heavyErrs = stream.filter(({ answers, truth }) => answers[2]!.label !== truth).length / events;

function play(maxLoss: number): Simulation {
  const flow = flowOf({ target: { maxLoss, measure: 'absolute' } });
  const delays = { shadowDelay: 50, truthDelay: 500, publishEvery: 50 };
  return simulate({ flow, signatureWidth: streamWidth, costs: [0.02, 0.2, 1], events: stream, ...delays });
}

describe('an absolute target', () => {
  it('is kept by what is served, the more cheaply the more heavy leaves of it', () => {
    const [near, far] = [play(heavyErrs + 0.02), play(heavyErrs + 0.06)];
    expect(meanOf(near.wrong)).toBeLessThan(heavyErrs + 0.02);
    expect(meanOf(far.wrong)).toBeLessThan(heavyErrs + 0.06);
    expect(meanOf(far.cost, events / 2)).toBeLessThan(meanOf(near.cost, events / 2) - 0.05);
    expect(meanOf(near.cost, events / 2)).toBeLessThan(0.95);
  });

  it('that heavy itself cannot keep is infeasible, and heavy serves', () => {
    const { learner, cost } = play(heavyErrs / 2);
    expect(learner.stats).toMatchObject({ reason: 'infeasible', heavyOnly: true });
    expect(meanOf(cost, events / 2)).toBe(1);
  });

  it('needs truth', () => {
    const refused = expect.objectContaining({ code: 'SLUICE_FLOW_INVALID', message: expect.stringContaining('target.measure') });
    expect(() => flowOf({ target: { measure: 'absolute' }, feedback: { mode: 'reports' } })).toThrow(refused);
  });
});
