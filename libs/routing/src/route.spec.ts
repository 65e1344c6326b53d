import fc from 'fast-check';
import { staticEvents, warmUpPatience } from './audit.ts';
import { escalationChance, residualHarm } from './outlook.ts';
import { route, type RouteInput } from './route.ts';
import { sampleFlow, samplePolicy, sampleRoute, signatureWidth, biasOnly } from './testing/sample.ts';

const calm = { fast: [0.05, 0.05], standard: [0.01, 0.01] } as const;

describe('the first tier', () => {
  it('is the lightest when its expected risk is worth its price', () => {
    const { position, step, slip } = route(sampleRoute(samplePolicy(calm)));
    // By hand: heavy costs 1; standard 0.25 + pi(0.01, 0.02) + r(0.01, 0.02) / 0.02; fast goes on to the cheaper of both.
    const standard = 0.25 + escalationChance(0.01, 0.02) + residualHarm(0.01, 0.02) / 0.02;
    const next = Math.min(standard, 1);
    const fast = 0.05 + escalationChance(0.05, 0.02 * next) * next + residualHarm(0.05, 0.02 * next) / 0.02;
    expect(position).toBe(fast < standard ? 0 : 1);
    expect(step).toEqual({
      kind: 'route',
      tier: 'fast',
      harm: expect.closeTo(0.05, 6),
      score: expect.closeTo(fast, 6),
      reason: 'cheapest',
      at: 1_000_000,
      policyVersion: 7,
    });
    expect(slip.tiers.map(({ cost }) => cost)).toEqual([0.05, 0.25, 1]);
    expect(slip).toMatchObject({ position: 0, threshold: 0.02, heavyOnly: false, auditRate: 0.04 });
  });

  it('is heavy when the signature already says that light tiers err', () => {
    const policy = samplePolicy({ fast: [0.9, 0.9], standard: [0.8, 0.8] }, { threshold: 0.001 });
    expect(route(sampleRoute(policy)).step).toMatchObject({ tier: 'heavy', harm: 0, score: 1, reason: 'cheapest' });
  });

  it('is heavy at the safe end, whatever rules say', () => {
    const rule = { name: 'to-fast', tier: 'fast', because: 'a test' };
    const policy = samplePolicy(calm, { heavyOnly: true, reason: 'safe-end' });
    expect(route(sampleRoute(policy, { rule })).step).toMatchObject({ tier: 'heavy', reason: 'heavy-only' });
  });

  it('is heavy in warm-up, when every event is audited', () => {
    const { step, slip } = route(sampleRoute(samplePolicy({}, { heavyOnly: true, reason: 'warm-up' })));
    expect(step).toMatchObject({ tier: 'heavy', reason: 'heavy-only:warm-up' });
    expect(slip.auditRate).toBe(1);
  });

  it('is audited at a lower rate far beyond what the learner, still warming up, has heard of', () => {
    const rateOf = (partition: number, offset: number) => {
      const policy = samplePolicy({}, { heavyOnly: true, reason: 'warm-up', heard: [0, 1_000] });
      return route(sampleRoute(policy, { source: { partition, offset } })).slip.auditRate;
    };
    const { controller, request } = sampleFlow();
    const lead = (2 * controller.warmUp) / request.partitions;
    expect([rateOf(0, lead - 1), rateOf(0, lead), rateOf(1, 999 + lead), rateOf(1, 1_000 + lead)]).toEqual([1, 0.2, 1, 0.2]);
  });

  it('is audited for longer where all that is ever learned is learned before light tiers serve', () => {
    const flow = sampleFlow(undefined, { controller: { enabled: false } });
    const policy = samplePolicy({}, { heavyOnly: true, reason: 'warm-up', heard: [] });
    const lead = (2 * staticEvents) / flow.request.partitions;
    const rateAt = (offset: number) => route(sampleRoute(policy, { flow, source: { partition: 0, offset } })).slip.auditRate;
    expect([rateAt(lead - 1), rateAt(lead)]).toEqual([1, 0.2]);
  });

  it('is audited often enough, wherever a topic is joined, for warm-up to have what it asks for before its patience ends', () => {
    const policy = samplePolicy({}, { heavyOnly: true, reason: 'warm-up', heard: [] });
    const { auditRate } = route(sampleRoute(policy, { source: { partition: 0, offset: 1e6 } })).slip;
    const { warmUp } = sampleFlow().controller;
    expect(auditRate * warmUpPatience * warmUp).toBeGreaterThan(warmUp);
  });

  it('says nothing of warm-up in the rate once light tiers serve', () => {
    const source = { partition: 0, offset: 1e9 };
    expect(route(sampleRoute(samplePolicy(calm, { heard: [0] }), { source })).slip.auditRate).toBe(0.04);
  });

  it('is the tier of a declared rule', () => {
    const rule = { name: 'vip', tier: 'standard', because: 'paying customers wait less' };
    expect(route(sampleRoute(samplePolicy(calm), { rule })).step).toMatchObject({ kind: 'rule', tier: 'standard', reason: 'vip' });
  });

  it('is not the tier of a rule when that tier is closed, and says so', () => {
    const rule = { name: 'vip', tier: 'standard', because: 'paying customers wait less' };
    const { step } = route(sampleRoute(samplePolicy(calm), { rule, queuePrices: [0, Infinity, 0] }));
    expect(step).toMatchObject({ kind: 'fallback', tier: 'fast', reason: 'rule-tier-closed:vip:standard=down' });
  });

  it('is never a closed one, and the closed ones are named', () => {
    const { step } = route(sampleRoute(samplePolicy(calm), { queuePrices: [Infinity, 0, 0] }));
    expect(step).toMatchObject({ kind: 'route', tier: 'standard', reason: 'cheapest:fast=down' });
  });

  it('is a light one when heavy is closed', () => {
    const policy = samplePolicy({ fast: [0.9, 0.9], standard: [0.8, 0.8] }, { threshold: 0.001 });
    expect(route(sampleRoute(policy, { queuePrices: [0, 0, Infinity] })).step.tier).not.toBe('heavy');
  });

  it('is heavy, to be waited for, when everything is closed', () => {
    const { step } = route(sampleRoute(samplePolicy(calm), { queuePrices: [Infinity, Infinity, Infinity] }));
    expect(step).toMatchObject({ kind: 'fallback', tier: 'heavy', reason: 'all-closed:fast=down,standard=down,heavy=down' });
  });

  it('moves to a heavier tier when a queue makes the light one dear', () => {
    expect(route(sampleRoute(samplePolicy(calm), { queuePrices: [0.5, 0, 0] })).step.tier).toBe('standard');
  });

  it('is valued by going on to better tiers only', () => {
    // Fast is dear to wait for but better than standard. By hand: standard 0.814, fast 0.827; fast with standard behind it would be 0.799.
    const policy = samplePolicy({ fast: [0.01, 0.01], standard: [0.05, 0.05] });
    const { step } = route(sampleRoute(policy, { queuePrices: [0.48, 0, 0] }));
    expect(step).toMatchObject({ tier: 'standard', score: expect.closeTo(0.8137, 4) });
  });

  it('is heavy when threshold or costs are not numbers', () => {
    expect(route(sampleRoute(samplePolicy(calm, { threshold: NaN }))).step.tier).toBe('heavy');
    expect(route(sampleRoute(samplePolicy(calm), { costs: [NaN, NaN, 1] })).step.tier).toBe('heavy');
  });
});

const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const price = fc.oneof(fc.constant(0), fc.constant(Infinity), fc.double({ min: 0.001, max: 3, noNaN: true }));

/** A routing situation with 2 to 6 tiers whose costs rise to heavy's 1. */
const situation = fc
  .integer({ min: 2, max: 6 })
  .chain((count) =>
    fc.record({
      harms: fc.array(share, { minLength: count - 1, maxLength: count - 1 }),
      costs: fc.array(share, { minLength: count - 1, maxLength: count - 1 }),
      queuePrices: fc.array(price, { minLength: count, maxLength: count }),
      threshold: fc.double({ min: 1e-4, max: 1, noNaN: true }),
      heavyOnly: fc.boolean(),
    }),
  )
  .map(({ costs, ...rest }) => ({ ...rest, costs: [...costs.sort((a, b) => a - b), 1] }));

type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

const nameOf = (index: number, count: number) => (index === count - 1 ? 'heavy' : `light-${index}`);

function inputOf(one: Situation, names = one.costs.map((_, index) => nameOf(index, one.costs.length))): RouteInput {
  const { harms, costs, queuePrices, threshold, heavyOnly } = one;
  const policy = samplePolicy(Object.fromEntries(harms.map((harm, index) => [names[index]!, [harm, harm] as const])), {
    threshold,
    heavyOnly,
  });
  return { id: 'e', flow: sampleFlow(names), policy, costs, queuePrices, signature: biasOnly, signatureWidth, now: 0 };
}

describe('for any number of tiers, the first tier', () => {
  it('is heavy at the safe end', () => {
    fc.assert(fc.property(situation, (one) => void expect(route(inputOf({ ...one, heavyOnly: true })).step.tier).toBe('heavy')));
  });

  it('is open unless nothing is', () => {
    fc.assert(
      fc.property(situation, (one) => {
        const { position } = route(inputOf({ ...one, heavyOnly: false }));
        const open = one.queuePrices.map((each) => each < Infinity);
        expect(open[position] || !open.includes(true)).toBe(true);
      }),
    );
  });

  it('does not depend on the unit of cost', () => {
    fc.assert(
      fc.property(situation, fc.constantFrom(1 / 1024, 0.25, 2, 4096), (one, unit) => {
        const input = inputOf(one);
        const scaled = {
          ...input,
          costs: input.costs.map((cost) => cost * unit),
          queuePrices: input.queuePrices.map((each) => each * unit),
        };
        expect(route(scaled)).toEqual(route(input));
      }),
    );
  });

  it('is decided the same way twice', () => {
    fc.assert(fc.property(situation, (one) => void expect(route(inputOf(one))).toEqual(route(structuredClone(inputOf(one))))));
  });

  it('has a propensity in (0, 1]', () => {
    fc.assert(
      fc.property(situation, (one) => {
        const { propensity } = route(inputOf(one));
        expect(propensity > 0 && propensity <= 1).toBe(true);
      }),
    );
  });

  it('stays the same, at the same expected risk and cost, when useless tiers, dearer and worse than another, are added', () => {
    fc.assert(
      fc.property(situation, fc.nat(), fc.array(fc.tuple(share, share), { minLength: 1, maxLength: 2 }), (one, pick, useless) => {
        const from = pick % one.harms.length;
        // Right after the tier that is better, so that the others keep their order; names tell the tiers apart, positions do not.
        const insert = <T>(list: readonly T[], values: readonly T[]) => [...list.slice(0, from + 1), ...values, ...list.slice(from + 1)];
        const names = one.costs.map((_, index) => nameOf(index, one.costs.length));
        const before = route(inputOf(one, names));
        const worse = {
          ...one,
          harms: insert(
            one.harms,
            useless.map(([, more]) => one.harms[from]! + (0.9995 - one.harms[from]!) * more),
          ),
          costs: insert(
            one.costs,
            useless.map(([more]) => one.costs[from]! + more / 10),
          ),
          queuePrices: insert(
            one.queuePrices,
            useless.map(() => one.queuePrices[from]!),
          ),
        };
        const after = route(
          inputOf(
            worse,
            insert(
              names,
              useless.map((_, index) => `useless-${index}`),
            ),
          ),
        );
        const { tier, harm, score } = before.step;
        expect(after.step).toMatchObject({ tier, harm, score });
      }),
      { numRuns: 1000 },
    );
  });
});
