import { thetaStart } from '../risk-controller.ts';
import { samplingWidth } from '../loss-bound.ts';
import { Learner } from '../learner.ts';
import { labelledExample } from '../labelled-sample.ts';
import { flowOf, tierNames } from '../testing/fixtures.ts';
import { meanOf, simulate, streamWidth, syntheticStream, type Simulation } from './index.ts';

const [sampled, events, epsilon] = [2000, 8000, 0.01];
const flow = flowOf();
const costs = [0.02, 0.2, 1];
const all = syntheticStream({ events: sampled + events, strengths: [0.75, 1.6, 2.6], tiers: tierNames, seed: 5 });
const [sample, stream] = [all.slice(0, sampled), all.slice(sampled)];

function play(taught: boolean): Simulation {
  const delays = { shadowDelay: 100, truthDelay: 500, publishEvery: 100 };
  return simulate({ flow, signatureWidth: streamWidth, costs, events: stream, ...(taught && { sample }), ...delays });
}

const costOf = (run: Simulation): number => meanOf(run.cost) + meanOf(run.shadowCost);

describe('a learner that was taught a labelled sample', () => {
  const [cold, warm] = [play(false), play(true)];

  it('lets light tiers serve from the first event on, at less cost and within the declared loss', () => {
    expect(meanOf(cold.cost, 0, 300)).toBe(1);
    expect(meanOf(warm.cost, 0, 300)).toBeLessThan(0.9);
    expect(costOf(warm)).toBeLessThan(costOf(cold) - 0.02);
    expect(meanOf(warm.harmed)).toBeLessThan(epsilon + samplingWidth({ epsilon, auditRate: 0.04, events, delta: 0.05 }));
  });

  it('begins its account with the first event of the stream', () => {
    const learner = Learner.create(flow, streamWidth, costs);
    for (const event of sample) learner.fold(labelledExample(event, 0));
    const { theta, estimatedLoss, decisions, folded, heavyOnly } = learner.stats;
    expect({ theta, estimatedLoss, decisions, folded, heavyOnly }).toEqual({
      ...{ theta: thetaStart(epsilon), estimatedLoss: 0, decisions: 0, folded: sampled, heavyOnly: false },
    });
    expect(learner.certificate.events).toBe(0);
  });

  it('counts an event of the sample once', () => {
    const [once, twice] = [1, 2].map((times) => {
      const learner = Learner.create(flow, streamWidth, costs);
      for (let time = 0; time < times; time++) for (const event of sample.slice(0, 400)) learner.fold(labelledExample(event, 0));
      return learner.snapshot(0);
    });
    expect(twice!.heads).toEqual(once!.heads);
    expect(twice!.threshold).toBe(once!.threshold);
  });
});
