import { encodePolicy } from '@sluice/contracts';
import type { PolicySnapshot } from '@sluice/domain';
import fc from 'fast-check';
import { explain, renderExplanation } from './explain.ts';
import { escalatedTag, servedPrediction } from './leg.ts';
import { policyFault } from './policy-check.ts';
import { PolicyGuard } from './policy-guard.ts';
import { replayTrail } from './replay.ts';
import { route } from './route.ts';
import { afterAnswer } from './stop.ts';
import { constantHead, sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

const leaseMs = 60_000;
const flow = sampleFlow(undefined, { controller: { leaseMs } });
const good = samplePolicy({ fast: [0.04, 0.001], standard: [0.005, 0.005] });

function guardOf() {
  const lines: [string, Readonly<Record<string, unknown>>][] = [];
  const guard = new PolicyGuard({ flow, signatureWidth, warn: (event, fields) => void lines.push([event, fields]) });
  const hear = (policy: PolicySnapshot, at: number, now = at) => guard.hear('mail', { value: encodePolicy(policy), at }, now);
  return { guard, lines, hear };
}

const headOf = (weights: Float32Array) => ({ heads: [{ tier: 'fast', stage: 'route' as const, weights }] });

const panelOf = (tiers: string[], risk: number) => ({
  panels: [{ tiers, votes: new Float32Array(3), harm: new Float32Array(0), risks: [Float32Array.of(risk)], gains: new Float32Array(0) }],
});

describe('a snapshot that cannot decide', () => {
  it.each<[string, Partial<PolicySnapshot>, string]>([
    ['is of another flow', { flow: 'images' }, 'of flow images'],
    ['goes back', { version: 6 }, 'its version 6 goes back from 7'],
    ['has a version that is no count', { version: -1 }, 'its version is -1'],
    ['has no threshold', { threshold: NaN }, 'its threshold is NaN'],
    ['lets everything pass', { threshold: Infinity }, 'its threshold is Infinity'],
    ['audits nothing', { auditRate: 0 }, 'its audit rate is 0'],
    ['has a NaN weight', headOf(Float32Array.of(0, NaN, 0, 0)), 'a weight that is no finite number'],
    ['is of another signature', headOf(new Float32Array(5)), 'has 5 weights instead of 4'],
    ['is of other tiers', { heads: [constantHead('tiny', 'route', 0.1)] }, 'a head of tier tiny, which the flow does not judge'],
    ['has a panel of other tiers', panelOf(['tiny'], 1), 'a panel with tier tiny'],
    ['has an infinite weight in a panel', panelOf(['fast'], Infinity), 'panel of tiers fast has a weight that is no finite number'],
    ['judges heavy', { heads: [constantHead('heavy', 'stop', 0.1)] }, 'a head of tier heavy, which the flow does not judge'],
    [
      'has a head twice',
      { heads: [constantHead('fast', 'stop', 0.1), constantHead('fast', 'stop', 0.1)] },
      'the stop head of tier fast twice',
    ],
  ])('because it %s is refused, said, and the last good one kept', (_, fault, why) => {
    const { guard, lines, hear } = guardOf();
    hear(good, 1000);
    hear({ ...good, version: 8, ...fault }, 2000);
    expect(guard.inForce(2000)).toEqual(good);
    expect(guard.refused).toBe(1);
    expect(lines).toEqual([['policy.refused', { why: expect.stringContaining(why), kept: 7 }]]);
  });

  it('because its bytes are damaged is refused, or is one that can decide; nothing is ever thrown', () => {
    const bytes = encodePolicy({ ...good, version: 8 });
    const damage = fc.record({
      cut: fc.integer({ min: 0, max: bytes.length }),
      flips: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 3 }),
    });
    const wanted = fc.property(damage, ({ cut, flips }) => {
      const value = Buffer.from(bytes);
      for (const [at, bits] of flips) value[at]! ^= bits;
      const { guard, hear } = guardOf();
      hear(good, 1000);
      guard.hear('mail', { value: value.subarray(0, cut), at: 1000 }, 1000);
      const policy = guard.inForce(1000);
      expect(policyFault(flow, signatureWidth, policy)).toBeUndefined();
      if (guard.refused > 0 || cut < bytes.length) expect(policy).toEqual(good);
    });
    fc.assert(wanted, { numRuns: 500 });
  });

  it('because it was deleted is refused; records of other flows are none of its business', () => {
    const { guard, hear } = guardOf();
    hear(good, 1000);
    guard.hear('mail', undefined, 1000);
    guard.hear('images', { value: Buffer.from('?'), at: 1000 }, 1000);
    expect([guard.inForce(1000), guard.refused]).toEqual([good, 1]);
  });
});

describe('the lease', () => {
  it('ends in the safe end of the same version, said once, and begins anew with the next snapshot', () => {
    const { guard, lines, hear } = guardOf();
    hear(good, 1000);
    expect(guard.inForce(1000 + leaseMs)).toEqual(good);
    expect(guard.inForce(1001 + leaseMs)).toEqual({ ...good, heavyOnly: true, reason: 'stale' });
    expect(guard.inForce(9000 + leaseMs)).toMatchObject({ version: 7, heavyOnly: true });
    hear({ ...good, version: 8 }, 10_000 + leaseMs);
    expect(guard.inForce(10_000 + leaseMs)).toMatchObject({ version: 8, heavyOnly: false });
    expect(lines.map(([event]) => event)).toEqual(['policy.stale', 'policy.renewed']);
  });

  it('is not renewed by a snapshot that is refused', () => {
    const { guard, hear } = guardOf();
    hear(good, 1000);
    hear({ ...good, version: 8, threshold: NaN }, leaseMs);
    expect(guard.inForce(1001 + leaseMs).reason).toBe('stale');
  });

  it('counts from the publication, and is not lengthened by a clock that runs ahead', () => {
    const { guard, hear } = guardOf();
    hear(good, 1000, 1000 + leaseMs / 2);
    expect(guard.inForce(1001 + leaseMs).reason).toBe('stale');
    hear(good, 99 * leaseMs, 2 * leaseMs);
    expect(guard.inForce(3 * leaseMs + 1).reason).toBe('stale');
  });

  it('leaves a policy that is at its safe end as it is, so that it is explained and replayed as what it was', () => {
    const { guard, hear } = guardOf();
    hear({ ...good, heavyOnly: true, reason: 'warm-up' }, 1000);
    expect(guard.inForce(1001 + leaseMs)).toMatchObject({ version: good.version, reason: 'warm-up' });
  });

  it('does not bind the initial policy, which is safe at any age', () => {
    expect(guardOf().guard.inForce(1e15)).toMatchObject({ version: 0, reason: 'warm-up' });
  });
});

describe('a decision under a policy whose lease ran out', () => {
  const lapsed = { ...good, heavyOnly: true, reason: 'stale' };
  const policies = new Map([[good.version, good]]);

  function served(atRouter: PolicySnapshot, atWorker: PolicySnapshot) {
    const input = sampleRoute(atRouter, { flow });
    const tag = sampleTag(input, route(input));
    const answer = sampleAnswer(tag.slip.tiers[tag.slip.position]!.tier, { confidence: 1 });
    const decision = afterAnswer({ flow, signatureWidth, tag, policy: atWorker, answer, now: 2 });
    return { tag, answer, decision };
  }

  it('goes to heavy, says why, and is made again from the snapshot as published', () => {
    const { tag, answer, decision } = served(lapsed, lapsed);
    expect(tag.slip).toMatchObject({ position: 2, heavyOnly: true });
    if (decision.kind !== 'stop') throw new Error('expected to stop');
    const prediction = servedPrediction(flow, { tag, answer, decision });
    expect(renderExplanation(explain(prediction))).toContain('because the newest policy was older than its lease');
    expect(replayTrail({ flow, signatureWidth, prediction, policies })).toBeUndefined();
  });

  it('serves no light answer either where only the worker lacks news, and says so', () => {
    expect(served(good, good).decision.kind).toBe('stop');
    const { tag, answer, decision } = served(good, lapsed);
    expect(decision).toMatchObject({ kind: 'escalate', position: 2, step: { reason: 'policy-stale:heavy' } });
    if (decision.kind !== 'escalate') throw new Error('expected to go on');
    const next = escalatedTag(tag, answer, decision);
    const final = sampleAnswer('heavy');
    const last = afterAnswer({ flow, signatureWidth, tag: next, policy: lapsed, answer: final, now: 3 });
    if (last.kind !== 'stop') throw new Error('expected to stop');
    const prediction = servedPrediction(flow, { tag: next, answer: final, decision: last });
    expect(renderExplanation(explain(prediction))).toContain('but the newest policy was older than its lease, so it went on to the heavy');
    expect(replayTrail({ flow, signatureWidth, prediction, policies })).toBeUndefined();
  });
});
