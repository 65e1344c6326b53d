import fc from 'fast-check';
import type { Answer, FallbackWay, Prediction, Tag } from '@sluice/domain';
import { explain, renderExplanation } from './explain.ts';
import { fallBack } from './fallback.ts';
import type { Failure } from './failure.ts';
import { escalatedTag, servedPrediction } from './leg.ts';
import { replayTrail } from './replay.ts';
import { route } from './route.ts';
import { afterAnswer } from './stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleRoute, sampleTag, signatureWidth } from './testing/sample.ts';

const policy = samplePolicy({ fast: [0.05, 0.5], standard: [0.01, 0.3] });
const tiers = ['fast', 'standard', 'heavy'];

interface Setting {
  /** Declared once for all tiers. */
  readonly ways: readonly FallbackWay[];
  /** What each tier does with the event when it is asked. */
  readonly does: Readonly<Record<string, Failure | 'answer'>>;
  readonly cached?: string;
  readonly heavyOnly?: boolean;
  readonly bars?: readonly string[];
  /** Retries after which the tier answers. */
  readonly answersAfter?: number;
}

/** One event all its way: what was served, or undefined for a dead letter; and which tiers were asked. */
function wayOf({ ways, does: first, cached, heavyOnly = false, bars, answersAfter }: Setting) {
  let does = first;
  const waits: number[] = [];
  const flow = sampleFlow(tiers, { fallback: ways, tiers: tiers.map((name) => ({ name, model: `mail-${name}`, cacheMb: 1 })) });
  const decided = { ...policy, heavyOnly };
  const input = sampleRoute(decided, { flow, bars });
  let tag: Tag = sampleTag(input, route(input));
  const asked: string[] = [];
  const judge = (answer: Answer): Prediction | undefined => {
    const decision = afterAnswer({ flow, signatureWidth, tag, policy: decided, answer, now: input.now + 5 });
    if (decision.kind === 'stop') return servedPrediction(flow, { tag, answer, decision });
    tag = escalatedTag(tag, answer, decision);
    return undefined;
  };
  for (;;) {
    const { tier } = tag.slip.tiers[tag.slip.position]!;
    asked.push(tier);
    expect(asked.length + waits.length).toBeLessThan(20);
    const now = does[tier]!;
    if (now === 'answer') {
      const served = judge(sampleAnswer(tier));
      if (served !== undefined) return { flow, asked, waits, served };
      continue;
    }
    const fallback = fallBack({ flow, tag, failure: now, cached, policyVersion: 7, now: input.now + 5 });
    if (fallback === undefined) return { flow, asked, waits, served: undefined };
    if (fallback.kind === 'serve') {
      const served = servedPrediction(flow, { tag: fallback.tag, answer: tag.answers.at(-1)!, decision: fallback.decision });
      return { flow, asked, waits, served };
    }
    tag = fallback.tag;
    if (fallback.kind === 'go') continue;
    if (fallback.kind === 'retry') {
      waits.push(fallback.delayMs);
      asked.pop();
      if (waits.length === answersAfter) does = { ...does, [tier]: 'answer' };
      continue;
    }
    const served = judge(sampleAnswer(tier, { version: cached! }));
    if (served !== undefined) return { flow, asked, waits, served };
  }
}

const said = ({ served }: ReturnType<typeof wayOf>) => renderExplanation(explain(served!));
const all = (one: Failure | 'answer') => ({ fast: one, standard: one, heavy: one });

describe('an event whose tier gives no answer', () => {
  it('goes to the heaviest tier where nothing else is declared, and is a dead letter where that failed too', () => {
    expect(sampleFlow().fallback).toEqual(['heavier']);
    expect(wayOf({ ways: ['heavier'], does: { ...all('answer'), fast: 'SLUICE_MODEL_LOST' } })).toMatchObject({
      asked: ['fast', 'heavy'],
      served: { tier: 'heavy' },
    });
    expect(wayOf({ ways: ['heavier'], does: all('SLUICE_MODEL_FAILED') })).toMatchObject({ asked: ['fast', 'heavy'], served: undefined });
    expect(wayOf({ ways: ['dead-letter'], does: all('SLUICE_BREAKER_OPEN') })).toMatchObject({ asked: ['fast'], served: undefined });
  });

  it('gets the answer that a lighter tier has given, and the trail says why', () => {
    const way = wayOf({ ways: ['lighter'], does: { ...all('answer'), heavy: 'SLUICE_BREAKER_OPEN' }, bars: ['', 'switched-off', ''] });
    expect(way).toMatchObject({ asked: ['fast', 'heavy'], served: { tier: 'fast', harm: 0.5, cost: 0.05, label: 'spam' } });
    expect(way.served!.trail.at(-1)).toMatchObject({ kind: 'fallback', tier: 'heavy', reason: 'breaker-open:served=fast' });
    expect(said(way)).toContain(
      "The heavy tier's model had failed or been late again and again and was left alone, so the answer that the fast tier had given was served.",
    );
  });

  it.each([
    [0, ['heavy'], { label: sampleAnswer('heavy').label, position: 2, step: { reason: 'model-lost:served=heavy' } }],
    [1, ['heavy', 'fast'], { label: sampleAnswer('fast').label, position: 0, step: { reason: 'model-lost:served=fast' } }],
  ])('is served what there is where heavier tiers have answered and tier %i was to be one more opinion', (position, ran, decision) => {
    const flow = sampleFlow(tiers);
    const input = sampleRoute(policy, { flow });
    const asked = sampleTag(input, route(input));
    const tag = { ...asked, slip: { ...asked.slip, position }, answers: ran.map((tier) => sampleAnswer(tier)) };
    const fallback = fallBack({ flow, tag, failure: 'SLUICE_MODEL_LOST', policyVersion: 7, now: input.now + 5 });
    expect(fallback).toMatchObject({ kind: 'serve', decision });
  });

  it('goes to the nearest lighter tier that may run, whose answer stands, also at the safe end', () => {
    const way = wayOf({ ways: ['lighter'], heavyOnly: true, does: { ...all('answer'), heavy: 'SLUICE_MODEL_LOST' } });
    expect(way).toMatchObject({ asked: ['heavy', 'standard'], served: { tier: 'standard' } });
    expect(said(way)).toContain("The heavy tier's model did not answer, so it went on to the standard tier.");
    expect(said(way)).toContain('no heavier tier could take it: heavy (had failed on it)');
    expect(wayOf({ ways: ['lighter'], does: all('SLUICE_MODEL_LOST'), heavyOnly: true }).asked).toEqual(['heavy', 'standard', 'fast']);
  });

  it('gets what was once answered to an equal request, judged as any answer; where none is remembered the next way is gone', () => {
    const does = { ...all('answer'), fast: 'SLUICE_MODEL_FAILED' as const };
    const way = wayOf({ ways: ['cached', 'heavier'], does, cached: '0.9.0' });
    expect(way.asked).toEqual(['fast', 'standard', 'heavy'].filter((tier) => way.asked.includes(tier)));
    expect(way.served!.trail[1]).toMatchObject({ kind: 'fallback', tier: 'fast', reason: 'model-failed:cached=0.9.0' });
    expect(way.served!.answers[0]).toMatchObject({ tier: 'fast', version: '0.9.0' });
    expect(said(way)).toContain("The fast tier's model failed on it, so what version 0.9.0 once answered to the same request was taken.");
    expect(wayOf({ ways: ['cached', 'heavier'], does }).asked).toEqual(['fast', 'heavy']);
  });

  it('is tried again after each delay where that may help, then goes the next way; the trail counts', () => {
    const ways = ['retry', 'heavier'] as const;
    const lost = { ...all('answer'), fast: 'SLUICE_MODEL_LOST' as const };
    const twice = wayOf({ ways, does: lost, answersAfter: 2 });
    expect(twice.waits).toEqual([5_000, 60_000]);
    expect(twice.served!.answers[0]!.tier).toBe('fast');
    expect(said(twice)).toContain("The fast tier's model did not answer, so it was put aside to be tried again after 1m.");
    expect(wayOf({ ways, does: lost })).toMatchObject({ waits: [5_000, 60_000, 600_000], asked: ['fast', 'heavy'] });
    expect(wayOf({ ways, does: { ...lost, fast: 'SLUICE_MODEL_FAILED' } })).toMatchObject({ waits: [], asked: ['fast', 'heavy'] });
    expect(wayOf({ ways: ['retry'], does: lost })).toMatchObject({ waits: [5_000, 60_000, 600_000], served: undefined });
  });

  it('is asked of each tier at most once and its decisions come out the same again, whatever fails and whatever is declared', () => {
    const outcome = fc.constantFrom<Failure | 'answer'>('answer', 'SLUICE_MODEL_FAILED', 'SLUICE_MODEL_LOST', 'SLUICE_BREAKER_OPEN');
    const setting = fc.record({
      ways: fc.uniqueArray(fc.constantFrom<FallbackWay>('retry', 'heavier', 'lighter', 'cached'), { minLength: 1 }),
      does: fc.record({ fast: outcome, standard: outcome, heavy: outcome }),
      heavyOnly: fc.boolean(),
      cached: fc.constantFrom('0.9.0', ''),
      bars: fc.array(fc.constantFrom('', '', 'switched-off'), { minLength: 3, maxLength: 3 }),
      answersAfter: fc.nat(9),
    });
    fc.assert(
      fc.property(setting, ({ cached, ...rest }) => {
        const { flow, asked, served } = wayOf({ ...rest, ...(cached !== '' && { cached }) });
        expect(new Set(asked).size).toBe(asked.length);
        if (served === undefined) return;
        const policies = new Map([[policy.version, { ...policy, heavyOnly: rest.heavyOnly }]]);
        expect(replayTrail({ flow, signatureWidth, prediction: served, policies })).toBeUndefined();
        const last = served.trail.findLast(({ kind, reason }) => kind === 'fallback' && reason.includes('=') && !reason.includes('closed'));
        if (last === undefined) return;
        const altered = served.trail.map((step) => (step === last ? { ...step, reason: 'model-failed:nowhere' } : step));
        expect(replayTrail({ flow, signatureWidth, prediction: { ...served, trail: altered }, policies })).toBeDefined();
      }),
      { numRuns: 1_000 },
    );
  });
});
