import type { Example, Flow, SegmentPolicy } from '@sluice/domain';
import { Learner } from '../learner.ts';
import { lossBound } from '../loss-bound.ts';
import { flowOf } from '../testing/fixtures.ts';
import { binaryAnswer, seededRandom, simulate, type KnownEvent, type Simulation } from './index.ts';

/** Nothing in the signature tells the segments apart; light is right with probability sigma(4 x + ease), heavy with 0.97. */
const eases: Readonly<Record<string, number>> = { easy: 2, hard: -1 };
const [epsilon, width] = [0.01, 2];
const delays = { shadowDelay: 100, truthDelay: 500, publishEvery: 50 };
const tiers = ['fast', 'heavy'].map((name) => ({ name, model: name }));
const flowBy = (segments?: object): Flow => flowOf({ tiers, target: segments === undefined ? {} : { segments } });
const divided = flowBy({ by: 'header.tenant' });

/** @param segmentOf the segment of the event at a place of the stream, by a uniform draw. */
function streamOf(seed: number, count: number, segmentOf: (draw: number, index: number) => string): KnownEvent[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const segment = segmentOf(random.uniform(), index);
    const [x, truth] = [random.uniform(), random.below(2)];
    const light = random.uniform() < 1 / (1 + Math.exp(-4 * x - (eases[segment] ?? 0))) ? truth : 1 - truth;
    const heavy = random.uniform() < 0.97 ? truth : 1 - truth;
    const signature = { indices: Uint16Array.of(0, 1), values: Float32Array.of(1, x) };
    const answers = [binaryAnswer('fast', light, 0.5), binaryAnswer('heavy', heavy, 0.97)];
    return { id: `t${seed}-${index}`, signature, answers, truth, segment };
  });
}

function play(flow: Flow, events: readonly KnownEvent[], fold?: (learner: Learner, example: Example) => Learner): Simulation {
  return simulate({ flow, signatureWidth: width, costs: [0.02, 1], events, ...delays, ...(fold && { fold }) });
}

/** Of the events of a segment from a place of the stream on: the share that was harmed. */
function lossIn(run: Simulation, events: readonly KnownEvent[], segment: string, from = 0): number {
  const own = events.flatMap((event, index) => (event.segment === segment && index >= from ? [run.harmed[index]!] : []));
  return own.reduce((sum, harmed) => sum + harmed, 0) / own.length;
}

const policyOf = (run: Simulation, segment: string): SegmentPolicy =>
  run.learner.snapshot(0).segments.find((one) => one.segment === segment)!;

describe('two segments of very different quality, one in four events of the hard one', () => {
  const events = streamOf(3, 60_000, (draw) => (draw < 0.25 ? 'hard' : 'easy'));
  const [whole, apart] = [play(flowBy(), events), play(divided, events)];

  it('under one threshold: the hard one loses more than twice what is declared, though the stream keeps it', () => {
    const loss = whole.harmed.reduce((sum, harmed) => sum + harmed, 0) / events.length;
    expect(loss).toBeLessThan(1.1 * epsilon);
    expect(lossIn(whole, events, 'hard')).toBeGreaterThan(2 * epsilon);
  });

  it('with thresholds of their own both keep it', () => {
    for (const segment of ['easy', 'hard']) expect(lossIn(apart, events, segment, 20_000)).toBeLessThan(1.15 * epsilon);
    for (const segment of ['easy', 'hard']) expect(lossIn(apart, events, segment)).toBeLessThan(1.4 * epsilon);
    expect(policyOf(apart, 'hard').offset).toBeLessThan(policyOf(apart, 'easy').offset - 0.3);
  });
});

describe('a segment of 30 events', () => {
  it('follows the whole flow: it never moves by more than a hundredth of ln tau at once, nor further than a tenth', () => {
    const events = streamOf(5, 20_000, (draw, index) => (index % 600 === 599 && index < 18_000 ? 'thin' : draw < 0.25 ? 'hard' : 'easy'));
    const offsets: number[] = [];
    const run = play(divided, events, (learner, example) => {
      learner.fold(example);
      if (example.segment === 'thin') offsets.push(learner.snapshot(0).segments.find(({ segment }) => segment === 'thin')?.offset ?? 0);
      return learner;
    });
    const { heavyOnly, offset } = policyOf(run, 'thin');
    expect(run.learner.stats.segments.find(({ segment }) => segment === 'thin')!.events).toBe(30);
    expect(Math.max(...offsets.map((one, at) => Math.abs(one - (offsets[at - 1] ?? 0))))).toBeLessThan(0.01);
    expect(Math.abs(offset)).toBeLessThan(0.1);
    expect(heavyOnly).toBe(false);
  });
});

describe('a learner with segments', () => {
  const events = streamOf(7, 4000, (draw) => `tenant-${Math.floor(draw * draw * 30)}`);
  const flow = flowBy({ by: 'header.tenant', most: 4 });
  const whole = play(flow, events);

  it('keeps apart the first that it sees, and all others together', () => {
    const first = [...new Set(events.map(({ segment }) => segment!))].slice(0, 4);
    const names = whole.learner.snapshot(0).segments.map(({ segment }) => segment);
    expect(new Set(names)).toEqual(new Set([...first, '(other)']));
    expect(whole.learner.stats.segments.reduce((sum, one) => sum + one.events, 0)).toBe(events.length);
  });

  it('is the same, bit for bit, when it is restored from its snapshots again and again', () => {
    let folded = 0;
    const restarted = play(flow, events, (learner, example) => {
      learner.fold(example);
      return ++folded % 997 === 0 ? Learner.restore(flow, learner.snapshot(0)) : learner;
    });
    expect(restarted.learner.snapshot(0)).toEqual(whole.learner.snapshot(0));
    expect(restarted.harmed).toEqual(whole.harmed);
  });

  it('goes on when the flow names no segments any more, or others', () => {
    const snapshot = whole.learner.snapshot(0);
    const without = Learner.restore(flowBy(), snapshot);
    expect(without.snapshot(0)).toMatchObject({ threshold: snapshot.threshold, segments: [] });
    const others = Learner.restore(flowBy({ by: 'sender' }), snapshot);
    expect(others.snapshot(0)).toMatchObject({ threshold: snapshot.threshold, segments: [] });
    expect(Learner.restore(flow, without.snapshot(0)).snapshot(0)).toMatchObject({ threshold: snapshot.threshold, segments: [] });
  });

  it('keeps to the bound in each of them', () => {
    const { pMin, learner } = whole;
    const { thetaStart, segments } = learner.stats;
    for (const { events: own, estimatedLoss } of segments) {
      const bound = lossBound({ epsilon, eta: 0.03, thetaStart, delay: 550, pMin, events: own });
      expect(estimatedLoss).toBeLessThanOrEqual(bound.pathwise);
    }
  });
});
