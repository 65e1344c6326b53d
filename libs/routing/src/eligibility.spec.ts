import type { Tag } from '@sluice/domain';
import fc from 'fast-check';
import { barOf, sayBars } from './eligibility.ts';
import { explain, renderExplanation } from './explain.ts';
import { fallBack } from './fallback.ts';
import { escalatedTag, servedPrediction } from './leg.ts';
import { replayTrail } from './replay.ts';
import { route, type RouteInput } from './route.ts';
import { afterAnswer, type StopInput } from './stop.ts';
import { sampleAnswer, samplePolicy, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

const policy = samplePolicy({ fast: [0.05, 0.5], standard: [0.01, 0.01] });
const tier = { tier: 'fast', model: 'm', cost: 0.05, queuePrice: 0, wait: 0, bar: '' };
const plenty = { timeLeft: Infinity, budget: null };

const routed = (more: Partial<RouteInput>) => route(sampleRoute(policy, more)).step;

/** The verdict on an answer of fast that is full of doubt. */
function judged(more: Partial<RouteInput>, tag: Partial<Tag> = {}, now = 1_000_010) {
  const input = sampleRoute(policy, more);
  const whole = { ...sampleTag(input, route(input)), ...tag };
  const stopInput: StopInput = {
    flow: input.flow,
    signatureWidth,
    tag: { ...whole, slip: { ...whole.slip, position: 0 } },
    policy,
    answer: sampleAnswer('fast'),
    now,
  };
  return afterAnswer(stopInput).step.reason;
}

describe('a tier may not run', () => {
  it.each([
    ['down', { ...tier, queuePrice: Infinity }, plenty],
    ['switched-off', { ...tier, bar: 'switched-off' }, plenty],
    ['late', { ...tier, wait: 20 }, { ...plenty, timeLeft: 19 }],
    ['unpaid', tier, { ...plenty, budget: 0.049 }],
    ['down', { ...tier, queuePrice: NaN, bar: 'schema', wait: 20 }, { timeLeft: 0, budget: 0 }],
  ] as const)('for the first reason that applies: %s', (bar, one, remaining) => {
    expect(barOf(one, remaining)).toBe(bar);
  });

  it('unless there is none: time that nobody can tell is no reason, nor is a budget that is just enough', () => {
    expect(barOf(tier, plenty)).toBeUndefined();
    expect(barOf(tier, { timeLeft: -5, budget: 0.3 - 0.25 })).toBeUndefined();
    expect(barOf({ ...tier, wait: 20 }, { ...plenty, timeLeft: 20 })).toBeUndefined();
  });
});

describe('the first tier', () => {
  it('is one that can answer in time, and the others are named', () => {
    expect(routed({ waits: [100, 5, 5], deadlineAt: 1_000_050 })).toMatchObject({ tier: 'standard', reason: 'cheapest:fast=late' });
    expect(routed({ waits: [100, 5, 5], deadlineAt: 1_000_100 }).tier).toBe('fast');
  });

  it('is one whose model was validated for the request, also against a rule', () => {
    const rule = { name: 'vip', tier: 'fast', because: 'they pay' };
    expect(routed({ bars: ['envelope', '', ''] })).toMatchObject({ tier: 'standard', reason: 'cheapest:fast=envelope' });
    expect(routed({ bars: ['schema', '', ''], rule })).toMatchObject({ kind: 'fallback', reason: 'rule-tier-closed:vip:fast=schema' });
  });

  it('is heavy when the budget is not asked and nothing can take it, else the cheapest that works', () => {
    const late = { waits: [9, 9, 9], deadlineAt: 1_000_001 };
    expect(routed(late)).toMatchObject({ tier: 'heavy', reason: 'all-closed:fast=late,standard=late,heavy=late' });
    expect(routed({ ...late, budget: 0.01 })).toMatchObject({ tier: 'fast' });
    expect(routed({ budget: 0.01 })).toMatchObject({ tier: 'fast', reason: 'all-closed:fast=unpaid,standard=unpaid,heavy=unpaid' });
    expect(routed({ budget: 0.01, queuePrices: [Infinity, 0, 0] }).tier).toBe('standard');
    expect(routed({ budget: 0.01, queuePrices: [Infinity, Infinity, Infinity] }).tier).toBe('heavy');
  });

  it('is heavy at the safe end, whatever bars heavy', () => {
    const safe = samplePolicy({}, { heavyOnly: true });
    expect(routed({ policy: safe, waits: [1, 1, 99], deadlineAt: 1_000_002, bars: ['', '', 'switched-off'], budget: 0.1 }).tier).toBe(
      'heavy',
    );
  });
});

describe('the next tier', () => {
  it('is one that is still in time and still paid for', () => {
    expect(judged({})).toBe('uncertain:heavy');
    expect(judged({ waits: [0, 5, 30] }, { deadlineAt: 1_000_020 })).toBe('uncertain:standard');
    expect(judged({ budget: 0.31 })).toBe('uncertain:standard');
    expect(judged({ bars: ['', '', 'switched-off'] })).toBe('uncertain:standard');
  });

  it('is none when all are barred: the answer is served, and the reasons are named', () => {
    expect(judged({ waits: [0, 30, 0], budget: 0.9 }, { deadlineAt: 1_000_020 })).toBe('nowhere-to-go:standard=late,heavy=unpaid');
  });
});

describe('the way after a failure', () => {
  const failed = (budget: number | null, more: Partial<RouteInput> = {}) => {
    const input = sampleRoute(policy, { budget, ...more });
    const tag = sampleTag(input, route(input));
    const whole = { ...tag, slip: { ...tag.slip, position: 0 } };
    return fallBack({ flow: input.flow, tag: whole, failure: 'SLUICE_MODEL_FAILED', policyVersion: 7, now: input.now })!.tag;
  };

  it('leads to heavy, or to the heaviest tier that is paid for, or to the cheapest that works', () => {
    expect(failed(null)).toMatchObject({ slip: { position: 2 }, trail: [{}, { reason: 'model-failed:heavy' }] });
    expect(failed(0.3)).toMatchObject({ slip: { position: 1 }, trail: [{}, { reason: 'model-failed:standard' }] });
    expect(failed(0.1).slip.position).toBe(1);
    expect(failed(0.1, { queuePrices: [0, Infinity, 0] }).slip.position).toBe(2);
  });
});

it('what barred tiers is said in words, and made again in a replay', () => {
  const input = sampleRoute(policy, { waits: [1, 30, 1], deadlineAt: 1_000_020, bars: ['', '', 'switched-off'], budget: 0.2 });
  const tag = { ...sampleTag(input, route(input)), deadlineAt: 1_000_020 };
  const answer = sampleAnswer('fast');
  const decision = afterAnswer({ flow: input.flow, signatureWidth, tag, policy, answer, now: 1_000_001 });
  if (decision.kind !== 'stop') throw new Error('expected to stop');
  const prediction = servedPrediction(input.flow, { tag, answer, decision });
  const policies = new Map([[policy.version, policy]]);
  expect(replayTrail({ flow: input.flow, signatureWidth, prediction, policies })).toBeUndefined();
  expect(replayTrail({ flow: input.flow, signatureWidth, prediction: { ...prediction, deadlineAt: 2_000_000 }, policies })).toContain(
    'reason',
  );
  expect(renderExplanation(explain(prediction))).toContain(
    'Not considered: standard (would have answered after the deadline) and heavy (was switched off).',
  );
  expect(renderExplanation(explain(prediction))).toContain('; no heavier tier could take it: standard (would have answered');
  expect(sayBars('fast')).toBe('fast (was down)');
});

it('no leg ever runs a tier that is barred, for any number of tiers, times and budgets, unless nothing else is left', () => {
  const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 3, maxLength: 3 });
  const situation = fc.record({
    waits: list(fc.nat(50)),
    bars: list(fc.constantFrom('', '', 'envelope', 'switched-off')),
    budget: fc.option(fc.double({ min: 0, max: 2, noNaN: true })),
    harm: fc.double({ min: 0.001, max: 0.9, noNaN: true }),
    lasting: list(fc.nat(30)),
  });
  fc.assert(
    fc.property(situation, ({ waits, bars: barred, budget, harm, lasting }) => {
      const doubtful = samplePolicy({ fast: [harm, harm], standard: [harm / 2, harm / 2] });
      const input = sampleRoute(doubtful, { waits, bars: barred, budget, deadlineAt: 1_000_040 });
      let tag: Tag = { ...sampleTag(input, route(input)), deadlineAt: 1_000_040 };
      if (tag.trail[0]!.reason.startsWith('all-closed')) return;
      let { now } = input;
      let spent = 0;
      for (;;) {
        const current = tag.slip.tiers[tag.slip.position]!;
        expect(current.bar).toBe('');
        expect(current.wait === 0 || now + current.wait <= 1_000_040).toBe(true);
        spent += current.cost;
        if (budget !== null) expect(spent).toBeLessThanOrEqual(budget + 1e-6);
        now += lasting[tag.slip.position]!;
        const answer = sampleAnswer(current.tier);
        const decision = afterAnswer({ flow: input.flow, signatureWidth, tag, policy: doubtful, answer, now });
        if (decision.kind === 'stop') return;
        tag = escalatedTag(tag, answer, decision);
      }
    }),
    { numRuns: 1000 },
  );
});
