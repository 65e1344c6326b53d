import { lossBound } from '../loss-bound.ts';
import { flowOf } from '../testing/fixtures.ts';
import { binaryAnswer, meanOf, seededRandom, simulate, type KnownEvent, type Simulation } from './index.ts';

/** x uniform in the unit square; light is right with probability sigma(4 x1 - drift), heavy with 0.97, independently. */
const usual = 30_000;
const heavyRight = 0.97;
const epsilon = 0.01;
const costs = [0.02, 1];
const delays = [1, 500, 5000];
const flow = flowOf({ tiers: ['fast', 'heavy'].map((name) => ({ name, model: name })) });

/** By how much light is worse at a place in [0, 1) of the stream. */
const drifts = {
  iid: () => 0,
  abrupt: (place: number) => (place < 0.5 ? 0 : 1.5),
  gradual: (place: number) => 1.5 * place,
  seasonal: (place: number) => 0.75 * (1 - Math.cos(2 * Math.PI * 3 * place)),
  blocks: () => 0,
} as const;
type Drift = keyof typeof drifts;

function streamOf(drift: Drift, seed: number, count = usual): KnownEvent[] {
  const random = seededRandom(seed);
  const places = Array.from({ length: count }, (_, index) => ({ index, x1: random.uniform(), x2: random.uniform() }));
  // The adversary shows the easy events first, until control has grown bold.
  if (drift === 'blocks') places.sort((a, b) => b.x1 - a.x1);
  return places.map(({ x1, x2 }, index) => {
    const truth = random.below(2);
    const light = random.uniform() < sigmoid(4 * x1 - drifts[drift](index / count)) ? truth : 1 - truth;
    const heavy = random.uniform() < heavyRight ? truth : 1 - truth;
    const signature = { indices: Uint16Array.of(0, 1, 2), values: Float32Array.of(1, x1, x2) };
    return { id: `k${seed}-${index}`, signature, answers: [binaryAnswer('fast', light, 0.5), binaryAnswer('heavy', heavy, 0.97)], truth };
  });
}

function play(events: readonly KnownEvent[], delay: number): Simulation {
  return simulate({ flow, signatureWidth: 3, costs, events, shadowDelay: Math.min(100, delay), truthDelay: delay, publishEvery: 50 });
}

/** Cost of the cheapest fixed threshold on x1 that keeps the declared loss on this very stream. */
function hindsight(events: readonly KnownEvent[]): number {
  const easiest = events
    .map(({ signature, answers: [light, heavy], truth }) => ({
      x1: signature.values[1]!,
      harm: light!.label !== truth && heavy!.label === truth,
    }))
    .sort((a, b) => b.x1 - a.x1);
  let harmed = 0;
  const light = easiest.findIndex(({ harm }) => harm && ++harmed > epsilon * events.length);
  return costs[0]! + (events.length - light) / events.length;
}

/** 0.97 times the integral of sigma(-4 x) from c to 1 is epsilon. */
function optimalShare(): number {
  const inner = (4 * epsilon) / heavyRight + Math.log1p(Math.exp(-4));
  return 1 + Math.log(Math.expm1(inner)) / 4;
}

function boundOf({ learner, pMin }: Simulation, delay: number): number {
  const { thetaStart } = learner.stats;
  return lossBound({ epsilon, eta: 0.03, thetaStart, delay: delay + 150, pMin, events: usual }).expectedRate;
}

const costOf = (run: Simulation): number => meanOf(run.cost) + meanOf(run.shadowCost);

describe('on a stream whose best rule is known in closed form', () => {
  it('the hindsight of the test finds it', () => {
    expect(hindsight(streamOf('iid', 1)) - costs[0]!).toBeCloseTo(1 - optimalShare(), 1);
  });

  describe.each(['iid', 'abrupt', 'gradual', 'seasonal'] as const)('%s', (drift) => {
    const events = streamOf(drift, 2);
    const runs = delays.map((delay) => ({ delay, run: play(events, delay) }));

    it.each(runs)('truth $delay events late: the loss stays within the bound', ({ delay, run }) => {
      expect(meanOf(run.harmed)).toBeLessThanOrEqual(boundOf(run, delay));
      expect(meanOf(run.harmed)).toBeLessThan(1.25 * epsilon);
    });

    if (drift === 'iid') return;
    it('costs less than 6 points more than the best fixed threshold in hindsight, audits included', () => {
      const mean = runs.reduce((sum, { run }) => sum + costOf(run), 0) / runs.length;
      expect(mean - hindsight(events)).toBeLessThan(0.06);
    });
  });

  it('iid: five streams of 60,000 events cost on average less than 6 points more than the best fixed threshold', () => {
    let regret = 0;
    for (let seed = 2; seed <= 6; seed++) {
      const events = streamOf('iid', seed, 60_000);
      regret += costOf(play(events, 500)) - hindsight(events);
    }
    expect(regret / 5).toBeLessThan(0.06);
  });

  it.each(delays)('where an adversary shows the easy events first, truth %i events late: the loss stays near the declared one', (delay) => {
    const run = play(streamOf('blocks', 2), delay);
    expect(meanOf(run.harmed)).toBeLessThan(1.25 * epsilon);
    expect(costOf(run)).toBeLessThan(1);
  });
});

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
