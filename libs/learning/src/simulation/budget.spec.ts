import { flowOf, tierNames } from '../testing/fixtures.ts';
import { meanOf, simulate, streamWidth, syntheticStream, type Simulation } from './index.ts';

const window = 5000;
const events = 20_000;
const costs = [0.02, 0.2, 1];

function play(target: object): Simulation {
  const stream = syntheticStream({ seed: 7, events, strengths: [0.75, 1.6, 2.6], tiers: tierNames, regressionFrom: events / 2 });
  const delays = { shadowDelay: 100, truthDelay: 500, publishEvery: 50 };
  return simulate({ flow: flowOf({ target }), signatureWidth: streamWidth, costs, events: stream, ...delays });
}

function spentIn({ cost, shadowCost }: Simulation, from: number): number {
  return meanOf(cost, from, from + window) + meanOf(shadowCost, from, from + window);
}

describe('a flow with a budget', () => {
  it.each([0.2, 0.35, 0.5])('of %f per event that comes first spends no more in any window, but for what was in flight', (perEvent) => {
    const run = play({ budget: { perEvent, window }, primary: 'budget' });
    for (let from = 0; from < events; from += window) expect(spentIn(run, from)).toBeLessThan(perEvent + 0.02);
  });

  it('that is larger than its loss needs spends only what the loss needs', () => {
    const free = play({});
    const rich = play({ budget: { perEvent: 1, window }, primary: 'budget' });
    expect(meanOf(rich.cost)).toBeLessThan(meanOf(free.cost) + 0.02);
    expect(rich.learner.stats.reason).toBe('controlled');
  });

  it('that cannot be kept says so: the loss holds when it comes first', () => {
    const run = play({ budget: { perEvent: 0.1, window } });
    expect(run.learner.stats.reason).toBe('infeasible');
    expect(run.harmed).toEqual(play({}).harmed);
  });

  it('that comes first says so when the loss cannot be kept, and certifies the loss that is', () => {
    const run = play({ budget: { perEvent: 0.1, window }, primary: 'budget' });
    expect(run.learner.stats).toMatchObject({ reason: 'infeasible', heavyOnly: false });
    expect(run.learner.certificate.lower).toBeLessThan(meanOf(run.harmed, events / 2));
    expect(run.learner.certificate.upper).toBeGreaterThan(0.01);
  });
});
