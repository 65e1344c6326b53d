import type { Prediction } from '@sluice/domain';
import { explain, renderExplanation } from './explain.ts';
import { fallBack } from './fallback.ts';
import { escalatedTag, servedPrediction, shadowTags } from './leg.ts';
import { route, type RouteInput } from './route.ts';
import { afterAnswer, type Stop } from './stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

const flow = sampleFlow();
const policy = samplePolicy({ fast: [0.04, 0.08], standard: [0.005, 0.005] });

/** Serves an event to the end, each tier giving the sample answer. */
function served(input: RouteInput): { readonly prediction: Prediction; readonly decision: Stop } {
  let tag = sampleTag(input, route(input));
  for (;;) {
    const answer = sampleAnswer(tag.slip.tiers[tag.slip.position]!.tier);
    const decision = afterAnswer({ flow: input.flow, signatureWidth, tag, policy: input.policy, answer, now: 2 });
    if (decision.kind === 'stop') return { prediction: servedPrediction(input.flow, { tag, answer, decision }), decision };
    tag = escalatedTag(tag, answer, decision);
  }
}

describe('an explanation', () => {
  it('tells the whole way of an event from its prediction alone', () => {
    const { prediction } = served(sampleRoute(policy, { id: 'a1' }));
    expect(renderExplanation(explain(prediction))).toBe(
      'Event a1, decided under policy 7 of flow mail: ' +
        "The fast tier was the cheapest plan at threshold 0.02 (0.34 times heavy's cost, risk included; estimated chance that it errs where heavy is right: 4 %), so it ran first. " +
        "The fast tier answered 'spam' with confidence 0.71; estimated chance that it errs where heavy would be right: 8 %; at threshold 0.02 that risk is worth 4 times heavy's cost, more than going on to the standard tier (0.77, of which 0.25 is its own cost), so it went on there. " +
        "The standard tier answered 'spam' with confidence 0.71; estimated chance that it errs where heavy would be right: 0.5 %; at threshold 0.02 that risk is worth 0.25 times heavy's cost, no more than going on would cost, so the answer was served. " +
        "Served: 'spam' by mail-standard@1.0.0, at 30 % of what heavy costs.",
    );
  });

  it.each<[string, Partial<RouteInput>, RegExp]>([
    ['the safe end', { policy: samplePolicy({}, { heavyOnly: true }) }, /straight to the heavy tier because the flow was at its safe end/],
    [
      'warm-up',
      { policy: samplePolicy({}, { heavyOnly: true, reason: 'warm-up' }) },
      /still warming up.*checked unseen on the tiers that had not run \(probability 100 %\)/,
    ],
    ['closed tiers', { queuePrices: [Infinity, 0, 0] }, /so it ran first\. Not considered: fast \(was down\)\./],
    [
      'nothing open',
      { queuePrices: [Infinity, Infinity, Infinity] },
      /No tier could take it: fast \(was down\), standard \(was down\) and heavy \(was down\); so it waited for the heavy tier/,
    ],
    [
      'a tier that was not validated for it',
      { bars: ['envelope', '', ''] },
      /Not considered: fast \(was not validated for such values\)\./,
    ],
    ['a rule', { rule: { name: 'vip', tier: 'standard', because: 'they pay' } }, /Rule "vip" sent it to the standard tier first\./],
    [
      'a rule for a closed tier',
      { rule: { name: 'vip', tier: 'standard', because: 'they pay' }, queuePrices: [0, Infinity, 0] },
      /Rule "vip" asked for a tier that could not take it: standard \(was down\)\./,
    ],
    ['heavy’s answer', { rule: { name: 'vip', tier: 'heavy', because: 'they pay' } }, /heavy's answer is final/],
  ])('gives the reason for %s', (_, more, expected) => {
    expect(renderExplanation(explain(served(sampleRoute(policy, more)).prediction))).toMatch(expected);
  });

  it('gives the flow author’s words for a rule when the flow is at hand', () => {
    const withRule = sampleFlow(undefined, { rules: [{ name: 'vip', when: 'size > 0', tier: 'standard', because: 'they pay' }] });
    const { prediction } = served(sampleRoute(policy, { flow: withRule, rule: { name: 'vip', tier: 'standard', because: 'they pay' } }));
    expect(renderExplanation(explain(prediction, { flow: withRule }))).toContain('first: they pay.');
  });

  it('names the features that weigh most, given the policy that decided and no other', () => {
    const heads = policy.heads.map((head) => {
      const weights = Float32Array.from(head.weights);
      if (head.tier === 'standard' && head.stage === 'stop') weights[signatureWidth] = -0.5;
      return { ...head, weights };
    });
    const telling = { ...policy, heads };
    const { prediction } = served(sampleRoute(telling));
    const context = { flow, signatureNames: ['bias', 'a', 'b', 'c'] };
    expect(explain(prediction, { ...context, policy: telling }).features).toEqual([
      { name: 'confidence', effect: expect.closeTo(-0.355, 3) },
    ]);
    expect(renderExplanation(explain(prediction, { ...context, policy: telling }))).toContain(
      'Weighing most in that estimate: confidence (lowers it).',
    );
    expect(explain(prediction, { ...context, policy: { ...telling, version: 8 } }).features).toEqual([]);
  });

  it('says so while an event is on its way', () => {
    const input = sampleRoute(policy);
    expect(renderExplanation(explain(sampleTag(input, route(input))))).toContain('It has not been answered yet.');
  });

  it('says so when a model failed and heavy took over', () => {
    const input = sampleRoute(policy);
    const before = { flow: input.flow, tag: sampleTag(input, route(input)), policyVersion: 7, now: 2 };
    const { tag } = fallBack({ ...before, failure: 'SLUICE_MODEL_FAILED' })!;
    expect(renderExplanation(explain(tag))).toContain("The fast tier's model failed on it, so it went on to the heavy tier.");
  });

  it('is plain data', () => {
    const explanation = explain(served(sampleRoute(policy)).prediction);
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  });

  it('still says something about a step of a later release', () => {
    const { prediction } = served(sampleRoute(policy));
    const trail = [{ ...prediction.trail[0]!, kind: 'route' as const, reason: 'canary:b' }];
    expect(renderExplanation(explain({ ...prediction, trail }))).toContain('for reason canary:b.');
  });
});

describe('the unseen runs of an audited event', () => {
  it('go to every tier that did not run, marked as shadow and without answers', () => {
    const input = sampleRoute(samplePolicy({}, { heavyOnly: true, reason: 'warm-up' }));
    const tag = sampleTag(input, route(input));
    const decision = afterAnswer({ flow, signatureWidth, tag, policy: input.policy, answer: sampleAnswer('heavy'), now: 2 });
    if (decision.kind !== 'stop') throw new Error('expected to stop');
    expect(shadowTags(tag, decision).map(({ shadow, slip, answers }) => [shadow, slip.position, answers.length])).toEqual([
      [true, 0, 0],
      [true, 1, 0],
    ]);
  });
});
