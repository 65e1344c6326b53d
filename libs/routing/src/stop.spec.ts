import fc from 'fast-check';
import { escalatedTag } from './leg.ts';
import { route } from './route.ts';
import { afterAnswer, type StopInput } from './stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth, type Harms } from './testing/sample.ts';

interface Case {
  readonly harms: Harms;
  readonly tier?: string;
  readonly threshold?: number;
  readonly queuePrices?: readonly number[];
  readonly heavyOnly?: boolean;
}

/** The record on its way to `tier`, when that tier has answered. */
function stopInput({ harms, tier = 'fast', threshold = 0.02, queuePrices = [0, 0, 0], heavyOnly = false }: Case): StopInput {
  const policy = samplePolicy(harms, { threshold, heavyOnly });
  const input = sampleRoute(policy, { queuePrices });
  const tag = sampleTag(input, route(input));
  const position = tag.slip.tiers.findIndex((entry) => entry.tier === tier);
  return {
    flow: sampleFlow(),
    signatureWidth,
    tag: { ...tag, slip: { ...tag.slip, position } },
    policy,
    answer: sampleAnswer(tier),
    now: 2_000_000,
  };
}

describe('the stop rule, computed by hand', () => {
  // Costs 0.05, 0.25, 1; tau 0.02. Route heads equal the stop head of fast, so an answer carries no surprise unless stated.
  it.each<[string, Case, string, string, number]>([
    [
      '0.004 / 0.02 = 0.2 is less than standard 0.25 + 0.001 / 0.02 = 0.30',
      { harms: { fast: [0.004, 0.004], standard: [0.001, 0.001] } },
      'stop',
      'confident',
      0.2,
    ],
    [
      '0.01 / 0.02 = 0.5 is more than standard 0.30',
      { harms: { fast: [0.01, 0.01], standard: [0.001, 0.001] } },
      'escalate',
      'uncertain:standard',
      0.3,
    ],
    [
      'standard 0.25 + 0.016 / 0.02 = 1.05 is more than heavy 1',
      { harms: { fast: [0.03, 0.03], standard: [0.016, 0.016] } },
      'escalate',
      'uncertain:heavy',
      1,
    ],
    [
      'standard waits at 0.9, heavy does not',
      { harms: { fast: [0.03, 0.03], standard: [0.001, 0.001] }, queuePrices: [0, 0.9, 0] },
      'escalate',
      'uncertain:heavy',
      1,
    ],
    [
      'two tiers are closed',
      { harms: { fast: [0.9, 0.9], standard: [0.1, 0.1] }, queuePrices: [0, Infinity, Infinity] },
      'stop',
      'nowhere-to-go:standard=down,heavy=down',
      45,
    ],
    [
      'the safe end allows heavy only',
      { harms: { fast: [0.001, 0.001], standard: [0.001, 0.001] }, heavyOnly: true },
      'escalate',
      'heavy-only:heavy',
      1,
    ],
    ['heavy answered', { harms: {}, tier: 'heavy' }, 'stop', 'heavy', 0],
    ['no head knows anything', { harms: {} }, 'escalate', 'uncertain:heavy', 1],
    [
      'standard itself: 0.01 / 0.02 = 0.5 is less than heavy 1',
      { harms: { standard: [0.01, 0.01] }, tier: 'standard' },
      'stop',
      'confident',
      0.5,
    ],
  ])('%s', (_, one, kind, reason, score) => {
    const decision = afterAnswer(stopInput(one));
    expect(decision.kind).toBe(kind);
    expect(decision.step).toMatchObject({
      kind,
      tier: one.tier ?? 'fast',
      reason,
      score: expect.closeTo(score, 5),
      at: 2_000_000,
      policyVersion: 7,
    });
  });

  it('with two tiers and no queue is: stop if the harm is at most the threshold', () => {
    const harms = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(harms, fc.double({ min: 1e-3, max: 1, noNaN: true }), (harm, threshold) => {
        const policy = samplePolicy({ fast: [0.5, harm] }, { threshold });
        const flow = sampleFlow(['fast', 'heavy']);
        const input = sampleRoute(policy, { flow, costs: [0.1, 1], queuePrices: [0, 0] });
        const tag = sampleTag(input, route(input));
        const decision = afterAnswer({
          flow,
          signatureWidth,
          tag: { ...tag, slip: { ...tag.slip, position: 0 } },
          policy,
          answer: sampleAnswer('fast'),
          now: 0,
        });
        expect(decision.kind).toBe(decision.harm / threshold <= 1 ? 'stop' : 'escalate');
      }),
    );
  });

  it('takes an answer that is more doubtful than expected as a sign that the event is hard for the next tier too', () => {
    // Expected harm 0.01, seen 0.5: the odds rise 99-fold, so standard's 0.002 becomes 0.166 and heavy is the better way on.
    const surprised = afterAnswer(stopInput({ harms: { fast: [0.01, 0.5], standard: [0.002, 0.002] } }));
    expect(surprised.step.reason).toBe('uncertain:heavy');
    const expected = afterAnswer(stopInput({ harms: { fast: [0.5, 0.5], standard: [0.002, 0.002] } }));
    expect(expected.step.reason).toBe('uncertain:standard');
  });

  it('counts the cost of every tier that ran', () => {
    const first = stopInput({ harms: { fast: [0.01, 0.01], standard: [0.001, 0.001] } });
    const decision = afterAnswer(first);
    if (decision.kind !== 'escalate') throw new Error('expected to go on');
    expect(decision).toMatchObject({ position: 1, cost: 0.05 });
    const tag = escalatedTag(first.tag, first.answer, decision);
    const second = afterAnswer({ ...first, tag, answer: sampleAnswer('standard') });
    expect(second).toMatchObject({ kind: 'stop', position: 1 });
    expect(second.cost).toBeCloseTo(0.3, 12);
    expect(tag.trail.map(({ kind, tier }) => `${kind} ${tier}`)).toEqual(['route fast', 'escalate fast']);
  });

  it('obeys a safe end that the worker learned of after the router had planned', () => {
    const input = stopInput({ harms: { fast: [0.001, 0.001], standard: [0.001, 0.001] } });
    const newer = { ...input.policy, version: 8, heavyOnly: true };
    expect(afterAnswer({ ...input, policy: newer }).step).toMatchObject({ reason: 'heavy-only:heavy', policyVersion: 8 });
    const older = { ...input.policy, version: 6, heavyOnly: true };
    expect(afterAnswer({ ...input, policy: older }).kind).toBe('stop');
  });
});

describe('the audit of a served answer', () => {
  const served = (one: Case, more: Partial<StopInput['tag']['slip']> = {}) => {
    const input = stopInput(one);
    const decision = afterAnswer({ ...input, tag: { ...input.tag, slip: { ...input.tag.slip, ...more } } });
    if (decision.kind !== 'stop') throw new Error('expected to stop');
    return decision.audit;
  };

  it('is at the plain rate for a harm of one percent', () => {
    expect(served({ harms: { fast: [0.01, 0.01], standard: [0.5, 0.5] } }).probability).toBeCloseTo(0.04, 6);
  });

  it('is rarer for safer answers, but never below half of the rate', () => {
    expect(served({ harms: { fast: [0.0025, 0.0025], standard: [0.5, 0.5] } }).probability).toBeCloseTo(
      (0.04 * Math.sqrt(0.0025 * 0.9975)) / Math.sqrt(0.01 * 0.99),
      6,
    );
    expect(served({ harms: { fast: [0.0002, 0.0002], standard: [0.5, 0.5] } }).probability).toBe(0.02);
  });

  it('runs on every tier that did not run, when the draw is below the probability', () => {
    const one = { harms: { fast: [0.001, 0.001], standard: [0.5, 0.5] } } as const;
    expect(served(one, { auditDraw: 0 })).toMatchObject({ drawn: true, tiers: ['standard', 'heavy'] });
    expect(served(one, { auditDraw: 0.999 })).toMatchObject({ drawn: false, tiers: [] });
  });

  it('shadows the light tiers at the plain rate where heavy served', () => {
    expect(served({ harms: {}, tier: 'heavy' }, { auditDraw: 0.039 })).toEqual({
      probability: 0.04,
      drawn: true,
      tiers: ['fast', 'standard'],
    });
    expect(served({ harms: {}, tier: 'heavy' }, { auditDraw: 0.041 })).toMatchObject({ drawn: false });
  });

  it('is certain, and costs nothing more, where every tier ran anyway', () => {
    const input = stopInput({ harms: {}, tier: 'heavy' });
    const decision = afterAnswer({ ...input, tag: { ...input.tag, answers: [sampleAnswer('fast'), sampleAnswer('standard')] } });
    expect(decision).toMatchObject({ kind: 'stop', audit: { probability: 1, drawn: true, tiers: [] } });
  });

  it('has a probability in (0, 1] for any rate a policy may claim', () => {
    const rates = fc.oneof(fc.constantFrom(0, -1, NaN, 5), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(rates, fc.double({ min: 0.0002, max: 1, noNaN: true }), (auditRate, threshold) => {
        const policy = samplePolicy({ fast: [0.1, 0.0005], standard: [0.5, 0.5] }, { auditRate, threshold });
        const input = sampleRoute(policy);
        const tag = sampleTag(input, route(input));
        for (const tier of ['fast', 'standard', 'heavy']) {
          const position = tag.slip.tiers.findIndex((entry) => entry.tier === tier);
          const decision = afterAnswer({
            flow: input.flow,
            signatureWidth,
            tag: { ...tag, slip: { ...tag.slip, position } },
            policy,
            answer: sampleAnswer(tier),
            now: 0,
          });
          if (decision.kind === 'stop') expect(decision.audit.probability > 0 && decision.audit.probability <= 1).toBe(true);
        }
      }),
    );
  });

  it('is drawn anew for each event and each policy version', () => {
    const draw = (id: string, version: number) => route(sampleRoute(samplePolicy({}, { version }), { id })).slip.auditDraw;
    expect(draw('a', 1)).toBe(draw('a', 1));
    expect(draw('a', 1)).not.toBe(draw('b', 1));
    expect(draw('a', 1)).not.toBe(draw('a', 2));
  });
});
