import type { Flow } from '@sluice/domain';
import { lossBound, samplingWidth } from '../loss-bound.ts';
import { flowOf, tierNames } from '../testing/fixtures.ts';
import { meanOf, simulate, sortedIntoBlocks, streamWidth, syntheticStream, type KnownEvent, type Simulation } from './index.ts';

const events = 20_000;
const epsilon = 0.01;
/** Accuracies of about 0.78 / 0.92 / 0.96; always-fast would be harmful on 19 % of the events. */
const stream = { events, strengths: [0.75, 1.6, 2.6], tiers: tierNames };
const controlled = flowOf();
const unmoved = flowOf({ controller: { enabled: false } });

/** Truth 500 events late and missing for a third of the events, policies 100 events apart. */
function play(flow: Flow, known: readonly KnownEvent[]): Simulation {
  const delays = { shadowDelay: 100, truthDelay: 500, publishEvery: 100, withoutTruth: (index: number) => index % 3 === 0 };
  return simulate({ flow, signatureWidth: streamWidth, costs: [0.02, 0.2, 1], events: known, ...delays });
}

/** Epsilon plus the sampling width of this many events (one in 20 runs may lie above). */
const usual = (count: number): number => epsilon + samplingWidth({ epsilon, auditRate: 0.04, events: count, delta: 0.05 });

function statedBound({ learner, pMin }: Simulation): number {
  const { thetaStart } = learner.stats;
  return lossBound({ epsilon, eta: 0.03, thetaStart, delay: 1100, pMin, events }).expectedRate;
}

const costOf = (run: Simulation, from = 0): number => meanOf(run.cost, from) + meanOf(run.shadowCost, from);

describe('on a steady stream the controller', () => {
  const run = play(controlled, syntheticStream({ ...stream, seed: 1 }));

  it('stays near the declared loss', () => {
    expect(meanOf(run.harmed)).toBeLessThan(usual(events));
  });

  it('costs clearly less than always-heavy, warm-up and audits included', () => {
    expect(costOf(run)).toBeLessThan(0.7);
  });

  it('estimates the loss it causes, although it sees a twenty-fifth of it', () => {
    expect(Math.abs(run.learner.stats.estimatedLoss / events - meanOf(run.harmed))).toBeLessThan(usual(events) - epsilon);
  });
});

describe('when a quarter of the fast answers turn silently wrong in mid-stream', () => {
  const known = syntheticStream({ ...stream, seed: 2, regressionFrom: events / 2 });
  const run = play(controlled, known);
  const frozen = play(unmoved, known);

  it('the controller holds', () => {
    expect(meanOf(run.harmed)).toBeLessThan(usual(events));
    expect(meanOf(run.harmed, events / 2)).toBeLessThan(usual(events / 2));
  });

  it('a static threshold calibrated on the first events breaks', () => {
    expect(frozen.learner.stats.reason).toBe('static');
    expect(meanOf(frozen.harmed, 0, events / 2)).toBeLessThan(2 * epsilon);
    expect(meanOf(frozen.harmed, events / 2)).toBeGreaterThan(2.5 * epsilon);
    expect(meanOf(frozen.harmed)).toBeGreaterThan(1.5 * meanOf(run.harmed));
  });
});

describe('on a stream sorted into blocks, easy ones first', () => {
  const known = sortedIntoBlocks(syntheticStream({ ...stream, seed: 3 }));
  const run = play(controlled, known);

  it('the controller loses at most twice what was declared, far within its bound', () => {
    expect(meanOf(run.harmed)).toBeLessThan(2 * epsilon);
    expect(meanOf(run.harmed)).toBeLessThan(statedBound(run));
  });

  it('a static threshold is ten times beyond it', () => {
    expect(meanOf(play(unmoved, known).harmed)).toBeGreaterThan(10 * epsilon);
  });
});
