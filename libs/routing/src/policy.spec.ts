import { initialPolicy, staticPolicy } from './policy.ts';
import { route } from './route.ts';
import { afterAnswer } from './stop.ts';
import { sampleAnswer, sampleFlow, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

describe('the policy before any learning', () => {
  it('lets heavy answer everything while a warm-up is declared', () => {
    expect(initialPolicy(sampleFlow(), signatureWidth)).toMatchObject({
      version: 0,
      threshold: 0.02,
      heavyOnly: true,
      reason: 'warm-up',
      heads: [],
      auditRate: 0.04,
    });
  });

  it('without a warm-up serves no light answer either, since no head vouches for one', () => {
    const flow = sampleFlow(undefined, { controller: { warmUp: 0 } });
    const policy = initialPolicy(flow, signatureWidth);
    expect(policy).toMatchObject({ heavyOnly: false, reason: 'controlled' });
    const input = sampleRoute(policy, { flow });
    const decision = afterAnswer({
      flow,
      signatureWidth,
      tag: sampleTag(input, route(input)),
      policy,
      answer: sampleAnswer('fast', { confidence: 1 }),
      now: 0,
    });
    expect(decision.kind).toBe('escalate');
  });
});

describe('the static policy', () => {
  const flow = sampleFlow(['fast', 'heavy'], { controller: { enabled: false } });
  const decide = (confidence: number) => {
    const policy = staticPolicy(flow, { threshold: 0.1, signatureWidth });
    const input = sampleRoute(policy, { flow, costs: [0.05, 1], queuePrices: [0, 0] });
    const routed = route(input);
    expect(routed.step.tier).toBe('fast');
    return afterAnswer({
      flow,
      signatureWidth,
      tag: sampleTag(input, routed),
      policy,
      answer: sampleAnswer('fast', { confidence }),
      now: 0,
    });
  };

  it.each([
    [0.85, 'escalate'],
    [0.91, 'stop'],
  ])('serves a light answer of confidence %d: %s at threshold 0.1', (confidence, kind) => {
    const decision = decide(confidence);
    expect(decision.kind).toBe(kind);
    expect(decision.harm).toBeCloseTo(1 - confidence, 5);
  });
});
