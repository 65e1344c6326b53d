import type { Example, PolicySnapshot } from '@sluice/domain';
import { Fusion } from './fusion.ts';
import { Learner } from './learner.ts';
import { meanOf, seededRandom, simulate, streamWidth, syntheticStream } from './simulation/index.ts';
import { answerOf, exampleOf, flowOf, tierNames } from './testing/fixtures.ts';

const fused = { fusion: { enabled: true, after: 500 } };
const budgetFirst = { target: { primary: 'budget', budget: { perEvent: 1 } } };
const signature = { indices: Uint16Array.of(0), values: Float32Array.of(1) };

/** Fast knows spam, heavy knows ham, and each guesses where it knows nothing. */
function learned(parts: object, events: number): Fusion {
  const random = seededRandom(4);
  const fusion = new Fusion(flowOf(parts), { signatureWidth: 1, labels: 2 });
  for (let index = 0; index < events; index++) {
    const truth = random.below(2);
    const fast = truth === 1 && random.uniform() < 0.8 ? 1 : 0;
    const heavy = truth === 0 && random.uniform() < 0.8 ? 0 : 1;
    const answers = [answerOf('fast', fast), answerOf('standard', random.below(2)), answerOf('heavy', heavy)];
    fusion.learn({ signature, answers, truth, weight: 1 });
  }
  return fusion;
}

describe('Fusion', () => {
  it('publishes a panel for each set of tiers once enough events were seen, and none where it is not asked for', () => {
    expect(learned(fused, 499).publish()).toEqual([]);
    expect(
      learned(fused, 500)
        .publish()
        .map(({ tiers }) => tiers.join('+')),
    ).toEqual(['fast', 'standard', 'fast+standard', 'heavy', 'fast+heavy', 'standard+heavy', 'fast+standard+heavy']);
    expect(learned({}, 5000).publish()).toEqual([]);
  });

  it('gives heavy the last word where loss comes first, and a price for each further opinion where a budget does', () => {
    const heads = (parts: object): number[] =>
      learned({ ...fused, ...parts }, 500)
        .publish()
        .map(({ risks }) => risks.length);
    expect(heads({})).toEqual([3, 3, 2, 0, 0, 0, 0]);
    expect(heads(budgetFirst)).toEqual([3, 3, 2, 3, 2, 2, 0]);
  });

  it('has no panels for a flow whose weights a snapshot has no room for', () => {
    const labels = Array.from({ length: 400 }, (_, label) => `l${label}`);
    const fusion = new Fusion({ ...flowOf(fused), labels }, { signatureWidth: 1, labels: 400 });
    expect(new Array(600).fill(0).flatMap(() => fusion.publish())).toEqual([]);
  });

  it('keeps the snapshot of four tiers and 31 labels below 1 MB', () => {
    const tiers = ['a', 'b', 'c', 'd'].map((name) => ({ name, model: name }));
    const flow = {
      ...flowOf({ tiers, ...budgetFirst, fusion: { enabled: true, after: 1 } }),
      labels: Array.from({ length: 31 }, (_, at) => `l${at}`),
    };
    const learner = Learner.create(flow, 1);
    const answers = tiers.map(({ name }) => answerOf(name, 30));
    learner.fold(exampleOf({ id: 'e', part: 'truth', tier: 'd', truth: 30, audit: { probability: 1, drawn: true }, answers }));
    const { panels, learner: state } = learner.snapshot(1);
    const published = panels
      .flatMap(({ votes, harm, risks, gains }) => [votes, harm, gains, ...risks])
      .reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(panels).toHaveLength(15);
    expect(state.length + published).toBeLessThan(1_000_000);
  });
});

describe('streams served with fused answers', () => {
  const costs = [0.02, 0.2, 1];
  const runs = [3, 5].map((seed) => {
    const events = syntheticStream({ seed, events: 20_000, strengths: [0.75, 1.6, 2.6], tiers: tierNames });
    return simulate({
      flow: flowOf(fused),
      signatureWidth: streamWidth,
      costs,
      events,
      shadowDelay: 20,
      truthDelay: 100,
      publishEvery: 50,
    });
  });

  it('use panels', () => {
    for (const { learner } of runs) expect(learner.snapshot(0).panels).toHaveLength(7);
  });

  it('keep the declared loss on average, and none of them exceeds it by more than a quarter', () => {
    const losses = runs.map(({ harmed }) => meanOf(harmed));
    expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeLessThanOrEqual(0.01);
    expect(Math.max(...losses)).toBeLessThanOrEqual(0.0125);
  });

  it('go on as if they had never stopped when the learner is restored before and after panels are published', () => {
    const events = syntheticStream({ seed: 3, events: 1500, strengths: [0.75, 1.6, 2.6], tiers: tierNames });
    const flow = flowOf(fused);
    const played = (every: number): PolicySnapshot => {
      let folded = 0;
      const fold = (learner: Learner, example: Example): Learner => {
        learner.fold(example);
        return ++folded % every === 0 ? Learner.restore(flow, learner.snapshot(0)) : learner;
      };
      const delays = { shadowDelay: 20, truthDelay: 100, publishEvery: 50 };
      return simulate({ flow, signatureWidth: streamWidth, costs, events, fold, ...delays }).learner.snapshot(0);
    };
    expect(played(97)).toEqual(played(Infinity));
  });
});
