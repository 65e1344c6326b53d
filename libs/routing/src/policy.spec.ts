import { initialPolicy } from './policy.ts';
import { route } from './route.ts';
import { afterAnswer } from './stop.ts';
import { sampleAnswer, sampleFlow, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

describe('the policy before any learning', () => {
  it('lets heavy answer everything while a warm-up is declared', () => {
    expect(initialPolicy(sampleFlow())).toMatchObject({
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
    const policy = initialPolicy(flow);
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
