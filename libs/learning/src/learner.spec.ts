import { type Example, type Flow, SluiceError } from '@sluice/domain';
import fc from 'fast-check';
import { Learner } from './learner.ts';
import { safeEnd } from './loss-bound.ts';
import { simulate, streamWidth, syntheticStream } from './simulation/index.ts';
import { answerOf, exampleOf, flowOf, tierNames } from './testing/fixtures.ts';
import { alarmCaution } from './vigilance.ts';

const width = 8;
const noWarmUp = flowOf({ controller: { warmUp: 0 } });
const allAnswers = (fast: number, heavy: number) => [answerOf('fast', fast), answerOf('standard', heavy), answerOf('heavy', heavy)];

/** The examples of a real run, in the order a learner saw them. */
function recorded(flow: Flow, events: number): Example[] {
  const examples: Example[] = [];
  const fold = (learner: Learner, example: Example): Learner => {
    examples.push(example);
    learner.fold(example);
    return learner;
  };
  const stream = syntheticStream({ seed: 5, events, strengths: [0.75, 1.6, 2.6], tiers: tierNames, regressionFrom: events / 2 });
  const delays = { shadowDelay: 20, truthDelay: 90, publishEvery: 40, withoutTruth: (index: number) => index % 3 === 0 };
  simulate({ flow, signatureWidth: streamWidth, costs: [0.02, 0.2, 1], events: stream, fold, ...delays });
  return examples;
}

it('publishes how far into each partition of the request topic it has heard, and a restored or newly begun learner goes on from there', () => {
  const heard = (partition: number, offset: number) =>
    exampleOf({ id: `${partition}-${offset}`, part: 'decision', source: { topic: 't', partition, offset } });
  const learner = Learner.create(noWarmUp, width);
  expect(learner.snapshot(0).heard).toEqual([]);
  for (const example of [heard(2, 7), heard(0, 40), heard(0, 12), exampleOf({ id: 'nobody', part: 'decision', source: null })])
    learner.fold(example);
  const snapshot = learner.snapshot(4);
  expect(snapshot.heard).toEqual([41, 0, 8]);
  const restored = Learner.restore(noWarmUp, snapshot);
  restored.fold(heard(1, 0));
  expect(restored.snapshot(5).heard).toEqual([41, 1, 8]);
  expect(snapshot.heard).toEqual([41, 0, 8]);
  expect(Learner.open(noWarmUp, { signatureWidth: width + 1, snapshot }).snapshot(5).heard).toEqual([41, 0, 8]);
});

describe.each([
  ['controlled', flowOf({ controller: { warmUp: 100 } })],
  ['static', flowOf({ controller: { enabled: false } })],
  ['fused', flowOf({ controller: { warmUp: 100 }, fusion: { enabled: true, after: 300 } })],
])('a %s learner', (_, flow) => {
  const examples = recorded(flow, 2600);
  const whole = Learner.create(flow, streamWidth);
  for (const example of examples) whole.fold(example);

  it('goes on bit for bit from a snapshot taken anywhere', () => {
    const wanted = fc.property(fc.array(fc.integer({ min: 1, max: examples.length - 1 }), { minLength: 1, maxLength: 4 }), (cuts) => {
      let learner = Learner.create(flow, streamWidth);
      for (const [index, example] of examples.entries()) {
        if (cuts.includes(index)) learner = Learner.restore(flow, learner.snapshot(index));
        learner.fold(example);
      }
      expect(learner.snapshot(9)).toEqual(whole.snapshot(9));
    });
    fc.assert(wanted, { numRuns: 5 });
  });

  it('counts a repeated example once', () => {
    const learner = Learner.create(flow, streamWidth);
    for (const example of examples) {
      learner.fold(example);
      learner.fold(example);
    }
    const { folded, duplicates, ...rest } = learner.stats;
    expect([folded, duplicates]).toEqual([2 * examples.length, examples.length]);
    expect(rest).toEqual({ ...whole.stats, folded: undefined, duplicates: undefined, ...rest });
    expect(learner.snapshot(0).heads).toEqual(whole.snapshot(0).heads);
    expect(learner.stats.theta).toBe(whole.stats.theta);
  });

  it('has left its warm-up by now', () => {
    expect(whole.stats.reason).toBe(flow.controller.enabled ? 'controlled' : 'static');
  });
});

describe('Learner', () => {
  it('keeps a snapshot below 150 kB at 512 columns and a full memory', () => {
    const flow = flowOf({ controller: { warmUp: 0 } });
    const learner = Learner.create(flow, 512);
    for (let index = 0; index < 5000; index++) {
      const answers = allAnswers(0, index % 2);
      learner.fold(exampleOf({ id: `e${index}`, part: 'decision', audit: { probability: 0.5, drawn: true } }));
      learner.fold(exampleOf({ id: `e${index}`, part: 'shadow', audit: { probability: 0.5, drawn: true }, answers }));
    }
    const { learner: bytes, heads } = learner.snapshot(0);
    const published = heads.reduce((sum, head) => sum + head.weights.byteLength, 0);
    expect(bytes.length + published).toBeLessThan(150_000);
    expect(published).toBeLessThan(10_000);
  });

  it('lets only heavy serve until the warm-up events and their shadow answers were seen', () => {
    const learner = Learner.create(flowOf({ controller: { warmUp: 3 } }), width);
    const audit = { probability: 1, drawn: true };
    for (const id of ['a', 'b', 'c'])
      learner.fold(exampleOf({ id, part: 'decision', tier: 'heavy', audit, answers: [answerOf('heavy', 0)] }));
    expect(learner.snapshot(3)).toMatchObject({ heavyOnly: true, reason: 'warm-up', version: 3 });
    const answers = [answerOf('heavy', 0), answerOf('fast', 0), answerOf('standard', 0)];
    for (const id of ['a', 'b', 'c']) learner.fold(exampleOf({ id, part: 'shadow', tier: 'heavy', audit, answers }));
    expect(learner.snapshot(6)).toMatchObject({ heavyOnly: false, reason: 'controlled', version: 6 });
  });

  it('waits for shadow answers that never come no longer than ten warm-ups', () => {
    const learner = Learner.create(flowOf({ controller: { warmUp: 3 } }), width);
    for (let index = 0; index < 30; index++)
      learner.fold(exampleOf({ id: `e${index}`, part: 'decision', tier: 'heavy', answers: [answerOf('heavy', 0)] }));
    expect(learner.stats.reason).toBe('controlled');
  });

  it('pays in nine tenths of the declared loss at first and takes out what light tiers are expected to harm', () => {
    const learner = Learner.create(noWarmUp, width);
    const start = learner.stats.theta;
    learner.fold(exampleOf({ id: 'a', part: 'decision', tier: 'heavy', answers: [answerOf('heavy', 0)] }));
    expect(learner.stats.theta - start).toBeCloseTo(0.03 * 0.009, 12);
    learner.fold(exampleOf({ id: 'b', part: 'decision', harm: 0.05 }));
    expect(learner.stats.theta - start).toBeCloseTo(0.03 * (0.018 - 0.05), 12);
  });

  it('adds the parts of an audited event up to g + (y - g) / p, although rho moves between them', () => {
    const learner = Learner.create(noWarmUp, width);
    const audit = { probability: 0.125, drawn: true };
    learner.fold(exampleOf({ id: 'a', part: 'decision', harm: 0.05, audit }));
    learner.fold(exampleOf({ id: 'a', part: 'shadow', harm: 0.05, audit, answers: allAnswers(0, 1) }));
    const before = learner.stats;
    for (let index = 0; index < 50; index++) {
      const other = { tier: 'heavy', audit: { probability: 1, drawn: true }, answers: allAnswers(0, 1) };
      learner.fold(exampleOf({ id: `x${index}`, part: 'truth', truth: 0, ...other }));
      learner.fold(exampleOf({ id: `y${index}`, part: 'truth', truth: 0, audit, harm: 0.05, answers: allAnswers(0, 1) }));
    }
    expect(learner.stats.rho).toBeLessThan(before.rho - 0.3);
    const others = learner.stats.estimatedLoss;
    learner.fold(exampleOf({ id: 'a', part: 'truth', truth: 1, harm: 0.05, audit, answers: allAnswers(0, 1) }));
    const own = before.estimatedLoss + (learner.stats.estimatedLoss - others);
    expect(own).toBeCloseTo(0.05 + (1 - 0.05) / 0.125, 9);
  });

  it('counts a disagreement as harm when the truth never comes', () => {
    const learner = Learner.create(noWarmUp, width);
    const audit = { probability: 0.5, drawn: true };
    learner.fold(exampleOf({ id: 'a', part: 'decision', audit }));
    learner.fold(exampleOf({ id: 'a', part: 'shadow', audit, answers: allAnswers(0, 1) }));
    learner.fold(exampleOf({ id: 'a', part: 'unlabelled', audit, answers: allAnswers(0, 1) }));
    expect(learner.stats.estimatedLoss).toBeCloseTo(0.01 + (1 - 0.01) / 0.5, 9);
  });

  it('takes a wrong answer for harm when heavy never answered, and the prediction when nothing is known', () => {
    const learner = Learner.create(noWarmUp, width);
    const audit = { probability: 0.5, drawn: true };
    learner.fold(exampleOf({ id: 'a', part: 'truth', truth: 1, audit }));
    expect(learner.stats.estimatedLoss).toBeCloseTo((1 - 0.01) / 0.5, 9);
    learner.fold(exampleOf({ id: 'b', part: 'unlabelled', audit }));
    expect(learner.stats).toMatchObject({ auditsLost: 1, estimatedLoss: (1 - 0.01) / 0.5 });
  });

  it.each([
    [0.02, -5.397, false],
    [0.005, -9.852, true],
  ])('moves far for one wrong answer whose heavy answer was lost: at p = %d from -3.912 to %d', (probability, theta, heavyOnly) => {
    const learner = Learner.create(noWarmUp, width);
    const audit = { probability, drawn: true };
    learner.fold(exampleOf({ id: 'a', part: 'decision', audit }));
    expect(learner.stats.theta).toBeCloseTo(-3.912, 3);
    learner.fold(exampleOf({ id: 'a', part: 'truth', truth: 1, audit }));
    expect(learner.stats.theta).toBeCloseTo(theta, 3);
    expect(learner.stats.heavyOnly).toBe(heavyOnly);
  });

  it('goes to the safe end under sustained harm, learns there from shadowed heavy answers, and comes back', () => {
    const learner = Learner.create(noWarmUp, width);
    const audit = { probability: 0.25, drawn: true };
    for (let index = 0; learner.stats.theta > safeEnd; index++) {
      learner.fold(exampleOf({ id: `e${index}`, part: 'decision', audit }));
      learner.fold(exampleOf({ id: `e${index}`, part: 'shadow', audit, answers: allAnswers(0, 1) }));
      expect(index).toBeLessThan(200);
    }
    expect(learner.snapshot(0)).toMatchObject({ heavyOnly: true, reason: 'safe-end' });
    const stopHead = (): number[] => [...learner.snapshot(0).heads[1]!.weights];
    const before = stopHead();
    for (let index = 0; learner.stats.heavyOnly; index++) {
      const heavy = { tier: 'heavy', audit, answers: [answerOf('heavy', 0)] };
      learner.fold(exampleOf({ id: `h${index}`, part: 'decision', ...heavy }));
      if (index % 4 === 0)
        learner.fold(
          exampleOf({
            id: `h${index}`,
            part: 'shadow',
            ...heavy,
            answers: [answerOf('heavy', 0), answerOf('fast', 0), answerOf('standard', 0)],
          }),
        );
      expect(index).toBeLessThan(50_000);
    }
    expect(learner.stats.reason).toBe('controlled');
    expect(stopHead()[0]).toBeLessThan(before[0]!);
  });

  it('raises an alarm on disagreement far above the predicted rate: the threshold is held back and audits come more often, for 3,000 events', () => {
    const learner = Learner.create(noWarmUp, width);
    const audit = { probability: 1, drawn: true };
    let events = 0;
    const serve = (fast: number): void => {
      const id = `e${events++}`;
      learner.fold(exampleOf({ id, part: 'decision', audit }));
      learner.fold(exampleOf({ id, part: 'shadow', audit, answers: allAnswers(fast, 0) }));
    };
    for (let index = 0; index < 200; index++) serve(0);
    expect(learner.stats.alarms).toBe(0);
    while (learner.stats.alarms === 0 && events < 300) serve(events % 3 === 0 ? 1 : 0);
    expect(events).toBeLessThan(260);
    const alarmed = learner.stats;
    expect(alarmed.caution).toBe(alarmCaution);
    for (let index = 0; index < 3000; index++)
      learner.fold(exampleOf({ id: `q${index}`, part: 'decision', tier: 'heavy', answers: [answerOf('heavy', 0)] }));
    const calm = learner.stats;
    expect(calm.caution).toBe(0);
    expect(alarmed.auditRate).toBeCloseTo(5 * calm.auditRate, 12);
    // Heavy's events have paid in besides: more than everything the alarm took is back.
    expect(Math.log(calm.threshold / alarmed.threshold)).toBeGreaterThan(alarmCaution);
    expect(calm.theta).toBeGreaterThan(alarmed.theta);
  });

  it('goes to its safe end when the certificate proves a loss above the declared one, though the heads own up to it', () => {
    const learner = Learner.create(flowOf({ controller: { warmUp: 0, gain: 1e-4 } }), width);
    const audit = { probability: 0.5, drawn: true };
    for (let index = 0; learner.stats.broken === 0; index++) {
      learner.fold(exampleOf({ id: `e${index}`, part: 'decision', harm: 0.5, audit }));
      learner.fold(exampleOf({ id: `e${index}`, part: 'shadow', harm: 0.5, audit, answers: allAnswers(0, index % 2) }));
      learner.fold(exampleOf({ id: `e${index}`, part: 'truth', truth: index % 2, harm: 0.5, audit, answers: allAnswers(0, index % 2) }));
      expect(index).toBeLessThan(200);
    }
    expect(learner.snapshot(0)).toMatchObject({ heavyOnly: true, reason: 'safe-end', certificate: { events: 0, upper: 1 } });
    expect(learner.stats.theta).toBeCloseTo(safeEnd, 3);
  });

  it('is not thrown off by three disagreements in a row where its heads were sure: the regression of a real run', () => {
    const learner = Learner.create(noWarmUp, width);
    const serve = (id: string, disagrees: boolean): void => {
      // Sure and wrong: audited at the floor of half the rate.
      const audit = { probability: 0.02, drawn: true };
      learner.fold(exampleOf({ id, part: 'decision', harm: 2e-4, audit }));
      learner.fold(exampleOf({ id, part: 'shadow', harm: 2e-4, audit, answers: allAnswers(0, disagrees ? 1 : 0) }));
    };
    for (let index = 0; index < 100; index++) serve(`e${index}`, false);
    const before = learner.stats;
    for (let index = 0; index < 3; index++) serve(`x${index}`, true);
    const after = learner.stats;
    // What the estimate says they cost, and not an alarm on top of it.
    expect(before.theta - after.theta).toBeCloseTo(0.03 * (after.estimatedLoss - before.estimatedLoss) - 3 * 0.03 * 0.009, 9);
    expect([after.alarms, after.caution]).toEqual([0, 0]);
  });

  it('raises the alarm at the same event when it is restarted after every one', () => {
    const untilAlarm = (restarted: boolean): number => {
      let learner = Learner.create(noWarmUp, width);
      const audit = { probability: 1, drawn: true };
      for (let index = 0; index < 1000; index++) {
        learner.fold(exampleOf({ id: `e${index}`, part: 'decision', audit }));
        learner.fold(exampleOf({ id: `e${index}`, part: 'shadow', audit, answers: allAnswers(index > 100 && index % 4 === 0 ? 1 : 0, 0) }));
        if (learner.stats.alarms > 0) return index;
        if (restarted) learner = Learner.restore(noWarmUp, learner.snapshot(index));
      }
      return Infinity;
    };
    expect(untilAlarm(false)).toBeLessThan(200);
    expect(untilAlarm(true)).toBe(untilAlarm(false));
  });

  it('refuses bytes that are no state of this flow, and starts anew with rising versions where asked to', () => {
    const learner = Learner.create(noWarmUp, width);
    learner.fold(exampleOf({ id: 'a', part: 'decision' }));
    const snapshot = learner.snapshot(1);
    const cut = { ...snapshot, learner: snapshot.learner.slice(0, -3) };
    expect(() => Learner.restore(noWarmUp, cut)).toThrow(SluiceError);
    const otherFlow = { ...noWarmUp, tiers: noWarmUp.tiers.slice(1) };
    expect(() => Learner.restore(otherFlow, snapshot)).toThrow(/not readable/);
    expect(Learner.open(otherFlow, { signatureWidth: width, snapshot }).snapshot(1).version).toBe(1);
    expect(Learner.open(noWarmUp, { signatureWidth: width, snapshot }).stats.decisions).toBe(1);
  });
});
