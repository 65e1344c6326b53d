import type { Example } from '@sluice/domain';
import { Learner } from '../learner.ts';
import { samplingWidth } from '../loss-bound.ts';
import { answerOf, exampleOf, flowOf, tierNames } from '../testing/fixtures.ts';
import { meanOf, simulate, streamWidth, syntheticStream, type Simulation } from './index.ts';

const events = 8000;
const epsilon = 0.02;
const stream = syntheticStream({ seed: 4, events, strengths: [0.75, 1.6, 2.6], tiers: tierNames });
const flowIn = (mode: string, controller = {}) => flowOf({ feedback: { mode }, target: { maxLoss: epsilon }, controller });

type Meddle = (example: Example, index: number) => Example;

/** Plays the stream; `meddle` changes what the learner is told. */
function play(mode: string, meddle: Meddle = (example) => example): Simulation {
  let index = 0;
  const fold = (learner: Learner, example: Example): Learner => (learner.fold(meddle(example, index++)), learner);
  const delays = { shadowDelay: 50, truthDelay: 500, publishEvery: 50 };
  return simulate({ flow: flowIn(mode), signatureWidth: streamWidth, costs: [0.02, 0.2, 1], events: stream, fold, ...delays });
}

/** Only what users complain of: truths of wrong answers, and of one right answer in twenty. */
const complaints: Meddle = (example, index) => {
  if (example.part !== 'truth') return example;
  const served = example.answers.find(({ tier }) => tier === example.tier)!;
  return served.label !== example.truth || index % 20 === 0 ? example : { ...example, part: 'unlabelled', truth: null };
};

const usual = epsilon + samplingWidth({ epsilon, auditRate: 0.04, events, delta: 0.05 });

describe('a flow whose only feedback is disagreement', () => {
  const run = play('disagreement');

  it('keeps the declared loss, which disagreement bounds from above, and pays more for it', () => {
    expect(meanOf(run.harmed)).toBeLessThan(epsilon);
    expect(meanOf(run.cost)).toBeGreaterThan(meanOf(play('truth').cost));
  });

  it('learns the same whatever outcomes say', () => {
    const lied = play('disagreement', (example) => (example.part === 'truth' ? { ...example, truth: 1 - example.truth! } : example));
    expect(lied.learner.snapshot(0)).toEqual(run.learner.snapshot(0));
  });

  it('adds an audit up to g + (d - g) / p as soon as all tiers have answered', () => {
    const learner = Learner.create(flowIn('disagreement', { warmUp: 0 }), 8);
    const audit = { probability: 0.5, drawn: true };
    const answers = [answerOf('fast', 0), answerOf('standard', 1), answerOf('heavy', 1)];
    learner.fold(exampleOf({ id: 'a', part: 'decision', audit }));
    learner.fold(exampleOf({ id: 'a', part: 'shadow', audit, answers }));
    expect(learner.stats.estimatedLoss).toBeCloseTo(0.01 + (1 - 0.01) / 0.5, 9);
    learner.fold(exampleOf({ id: 'a', part: 'truth', truth: 0, audit, answers }));
    expect(learner.stats).toMatchObject({ estimatedLoss: expect.closeTo(0.01 + 0.99 / 0.5, 9), truths: 0 });
  });
});

describe('a flow whose users report what is wrong', () => {
  const run = play('reports', complaints);

  it('keeps the declared loss although nearly all truths are of wrong answers', () => {
    expect(run.learner.stats.truths).toBeLessThan(events / 5);
    expect(meanOf(run.harmed)).toBeLessThan(usual);
  });

  it('does not calibrate confidences on complaints, as a flow that takes them for truths would', () => {
    expect(run.learner.stats.confidence.map((error) => error.events)).toEqual([0, 0, 0]);
    const fooled = play('truth', complaints).learner.stats.confidence[2]!;
    expect(fooled.before).toBeGreaterThan(0.2);
  });
});
