import { otherSegment, type Flow, type SegmentPolicy } from '@sluice/domain';
import { explain, renderExplanation } from '../explain.ts';
import { policyFault } from '../policy-check.ts';
import { route } from '../route.ts';
import { afterAnswer } from '../stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth } from '../testing/sample.ts';

const segments: SegmentPolicy[] = [
  { segment: 'acme', offset: Math.log(3), heavyOnly: false },
  { segment: 'bust', offset: 0, heavyOnly: true },
];
const harms = { fast: [0.01, 0.03], standard: [0.005, 0.01] } as const;
const policy = samplePolicy(harms, { segments, threshold: 0.02 });
const routed = (segment?: string, more = policy) => route(sampleRoute(more, { segment }));

describe('an event of a segment', () => {
  it.each([
    ['of none', undefined, 0.02],
    ['that the policy does not know', 'else', 0.02],
    ['that has an offset', 'acme', 0.06],
  ])('%s is decided at its threshold', (_, segment, threshold) => {
    const { slip } = routed(segment);
    expect(slip.threshold).toBeCloseTo(threshold, 12);
    expect([slip.segment, slip.heavyOnly]).toEqual([segment ?? '', false]);
  });

  it('that is not controlled apart is decided as all others, and one of none as the flow', () => {
    const more = { ...policy, segments: [{ segment: otherSegment, offset: -1, heavyOnly: false }, ...segments] };
    expect(routed('else', more).slip.threshold).toBe(0.02 * Math.exp(-1));
    expect(routed('acme', more).slip.threshold).toBeCloseTo(0.06, 12);
    expect(routed('', more).slip.threshold).toBe(0.02);
  });

  it('at its safe end goes to heavy, whatever a rule says, and the explanation says why', () => {
    const rule = { name: 'vip', tier: 'fast', because: 'they pay' };
    const input = sampleRoute(policy, { segment: 'bust', rule });
    const { slip, step } = route(input);
    expect([step.tier, step.reason, slip.heavyOnly]).toEqual(['heavy', 'heavy-only:segment', true]);
    const words = renderExplanation(explain(sampleTag(input, route(input))));
    expect(words).toContain('It went straight to the heavy tier because its segment was at its safe end');
  });

  it('is explained with the segment and its threshold', () => {
    const input = sampleRoute(policy, { segment: 'acme' });
    const explanation = explain(sampleTag(input, route(input)));
    expect(explanation).toMatchObject({ segment: 'acme', threshold: 0.02 * Math.exp(Math.log(3)) });
    expect(renderExplanation(explanation)).toContain('cheapest plan at threshold 0.06 (segment acme)');
  });

  it('is not served by a light tier once its worker knows that the segment is at its safe end', () => {
    const input = sampleRoute(policy, { segment: 'acme' });
    const tag = sampleTag(input, route(input));
    const judged = (version: number, heavyOnly: boolean) => {
      const newer = { ...policy, version, segments: [{ segment: 'acme', offset: 0, heavyOnly }] };
      const flow = sampleFlow();
      return afterAnswer({ flow, signatureWidth, tag, policy: newer, answer: sampleAnswer('fast'), now: 0 }).step.reason;
    };
    expect(judged(policy.version + 1, true)).toBe('heavy-only:heavy');
    expect(judged(policy.version + 1, false)).toBe('confident');
    expect(judged(policy.version, true)).toBe('confident');
  });
});

it('an explanation says what costs are made of, where it is more than time', () => {
  const tag = sampleTag(sampleRoute(policy), routed());
  const saidOf = (flow?: Flow) => renderExplanation(explain(tag, { flow }));
  expect(saidOf(sampleFlow(undefined, { cost: { weights: { time: 1, money: 3 } } }))).toMatch(/Costs are 25 % time and 75 % money\.$/);
  for (const flow of [undefined, sampleFlow()]) expect(saidOf(flow)).not.toContain('Costs are');
});

it('a policy whose offsets are no numbers is refused', () => {
  const flow = sampleFlow();
  expect(policyFault(flow, signatureWidth, policy)).toBeUndefined();
  for (const offset of [NaN, Infinity]) {
    const bad = { ...policy, segments: [{ segment: 'acme', offset, heavyOnly: false }] };
    expect(policyFault(flow, signatureWidth, bad)).toBe(`its segment acme has the offset ${offset}`);
  }
});
