import fc from 'fast-check';
import type { Flow, Tag } from '@sluice/domain';
import { barOf } from './eligibility.ts';
import { explain, renderExplanation } from './explain.ts';
import { fallBackLate } from './fallback.ts';
import { escalatedTag, servedPrediction } from './leg.ts';
import { stalePolicy } from './policy.ts';
import { replayTrail } from './replay.ts';
import { route, type RouteInput } from './route.ts';
import { afterAnswer } from './stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

type Overload = Flow['overload'];

const controlled = samplePolicy({ fast: [0.05, 0.5], standard: [0.01, 0.01] });
const safe = { ...controlled, heavyOnly: true };
const flowWith = (overload: Overload): Flow => sampleFlow(undefined, { overload });
const deadlineAt = 1_000_050;

const routed = (overload: Overload, more: Partial<RouteInput>) =>
  route(sampleRoute(controlled, { flow: flowWith(overload), deadlineAt, ...more }));

it('comes out the same when it is decided again, also where the policy had become stale and a light tier answered all the same', () => {
  const flow = flowWith(['lighten']);
  const { served } = wayOf(sampleRoute(stalePolicy(controlled), { flow, deadlineAt, waits: [1, 30, 99] }), 25);
  expect(served).toMatchObject({ tier: 'fast', trail: [{ reason: 'lightened' }, {}] });
  const policies = new Map([[controlled.version, controlled]]);
  expect(replayTrail({ flow, signatureWidth, prediction: served!, policies })).toBeUndefined();
});

describe('an event whose deadline cannot be met where it would go', () => {
  it('waits where nothing is declared', () => {
    expect(routed([], { waits: [99, 99, 99] })).toMatchObject({ position: 2, shed: false });
    expect(routed([], { waits: [1, 1, 99], policy: safe })).toMatchObject({ position: 2, shed: false });
  });

  it('is shed, but not when time is not what bars the tiers', () => {
    expect(routed(['shed'], { waits: [99, 99, 99] }).shed).toBe(true);
    expect(routed(['shed'], { waits: [1, 1, 99], policy: safe }).shed).toBe(true);
    expect(routed(['shed'], { waits: [99, 99, 50] })).toMatchObject({ position: 2, shed: false });
    expect(routed(['shed'], { bars: ['envelope', 'envelope', 'switched-off'] }).shed).toBe(false);
  });

  it('goes to the lightest tier that can make it, also at the safe end, and the trail says so', () => {
    const lightened = routed(['lighten'], { waits: [99, 1, 99], policy: safe });
    expect(lightened).toMatchObject({ position: 1, shed: false, step: { kind: 'fallback', reason: 'lightened' } });
    expect(routed(['lighten', 'shed'], { waits: [1, 1, 99], policy: safe })).toMatchObject({ position: 0, shed: false });
    expect(routed(['lighten', 'shed'], { waits: [99, 99, 99], policy: safe })).toMatchObject({ position: 2, shed: true });
    expect(routed(['lighten'], { waits: [99, 70, 98] })).toMatchObject({ position: 1, shed: false });
    expect(routed(['lighten'], { waits: [1, 1, 50], policy: safe })).toMatchObject({ position: 2, step: { reason: 'heavy-only' } });
  });
});

/** All its way under `input`, each leg `lasting` milliseconds. */
function wayOf(input: RouteInput, lasting: number) {
  const decision = route(input);
  if (decision.shed) return { asked: [], served: undefined };
  let tag: Tag = { ...sampleTag(input, decision), deadlineAt };
  const asked: string[] = [];
  const { flow, policy } = input;
  for (let { now } = input; ;) {
    const late = fallBackLate({ flow, tag, policyVersion: policy.version, now });
    if (late === 'shed') return { asked, served: undefined };
    if (late !== undefined)
      return { asked, served: servedPrediction(flow, { tag: late.tag, answer: tag.answers.at(-1)!, decision: late.decision }) };
    const { tier } = tag.slip.tiers[tag.slip.position]!;
    asked.push(tier);
    now += lasting;
    const answer = sampleAnswer(tier);
    const verdict = afterAnswer({ flow, signatureWidth, tag, policy, answer, now });
    if (verdict.kind === 'stop') return { asked, served: servedPrediction(flow, { tag, answer, decision: verdict }) };
    tag = escalatedTag(tag, answer, verdict);
  }
}

describe('an event under overload', () => {
  it('at the safe end is answered by the tiers that can make it, and says why', () => {
    const input = sampleRoute(safe, { flow: flowWith(['lighten']), deadlineAt, waits: [1, 30, 99] });
    const { asked, served } = wayOf(input, 25);
    expect(asked).toEqual(['fast']);
    const said = renderExplanation(explain(served!));
    expect(said).toContain('under such load the flow lets the lightest tier that can make it answer, so it went to the fast tier.');
    expect(said).toContain(
      'no heavier tier could take it: standard (would have answered after the deadline) and heavy (would have answered',
    );
  });

  it('that a worker takes up after its deadline gets the answer it has, or is shed, or is answered all the same', () => {
    const late = (overload: Overload) => wayOf(sampleRoute(controlled, { flow: flowWith(overload), deadlineAt }), 60);
    const { asked, served } = late(['lighten', 'shed']);
    expect({ asked, tier: served!.tier, reason: served!.trail.at(-1)!.reason }).toEqual({
      asked: ['fast'],
      tier: 'fast',
      reason: 'late:served=fast',
    });
    expect(renderExplanation(explain(served!))).toContain(
      'The heavy tier could not take it before its deadline, so the answer that the fast tier had given was served.',
    );
    expect(late(['shed'])).toEqual({ asked: ['fast'], served: undefined });
    expect(late([])).toMatchObject({ asked: ['fast', 'heavy'], served: { tier: 'heavy' } });
  });

  it('is decided by what stands in its slip and trail: all of it comes out the same again, and no tier is begun that is known to be late', () => {
    const three = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 3, maxLength: 3 });
    const situation = fc.record({
      overload: fc.uniqueArray(fc.constantFrom<Overload[number]>('lighten', 'shed')),
      waits: three(fc.nat(90)),
      bars: three(fc.constantFrom('', '', '', 'envelope')),
      heavyOnly: fc.boolean(),
      lasting: fc.nat(60),
    });
    fc.assert(
      fc.property(situation, ({ overload, waits, bars, heavyOnly, lasting }) => {
        const policy = { ...controlled, heavyOnly };
        const input = sampleRoute(policy, { flow: flowWith(overload), deadlineAt, waits, bars });
        const decision = route(input);
        expect(route(input)).toEqual(decision);
        const bar = barOf(decision.slip.tiers[decision.position]!, { timeLeft: 50, budget: null });
        if (overload.includes('shed')) expect(decision.shed).toBe(bar === 'late');
        const { served } = wayOf(input, lasting);
        if (served === undefined) return expect(overload).toContain('shed');
        const policies = new Map([[policy.version, policy]]);
        expect(replayTrail({ flow: input.flow, signatureWidth, prediction: served, policies })).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
