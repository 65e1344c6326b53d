import { decodePrediction, decodeTag, encodePrediction, encodeSingleObject, encodeTag } from '@sluice/contracts';
import type { Answer, Flow, PolicySnapshot, Prediction, SparseRow } from '@sluice/domain';
import avro from 'avsc';
import fc from 'fast-check';
import { headWidth } from './heads.ts';
import { escalatedTag, servedPrediction } from './leg.ts';
import { route } from './route.ts';
import { compileRules } from './rules/rules.ts';
import { compileSignature } from './signature.ts';
import { afterAnswer } from './stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleTag } from './testing/sample.ts';

const schema = {
  type: 'record',
  name: 'Mail',
  fields: [
    { name: 'length', type: 'double' },
    { name: 'sender', type: ['null', 'string'] },
  ],
} as const;
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);

const flow: Flow = sampleFlow(undefined, {
  signature: [
    { field: 'length', kind: 'number', min: 0, max: 10 },
    { field: 'sender', kind: 'category', buckets: 8 },
  ],
  rules: [{ name: 'vip', when: "header.tenant = 'vip' and length < 5", tier: 'standard', because: 'they pay' }],
});

interface Event {
  readonly value: Buffer;
  readonly headers: Record<string, Buffer>;
  readonly now: number;
  readonly answers: readonly Answer[];
}

/** Routes an event and lets tiers answer until one answer is served: router and workers in one. */
function serve(event: Event, policy: PolicySnapshot): Prediction {
  // Compiled anew for every event, so that nothing can hide in reused memory.
  const signature = compileSignature(flow, [schema]);
  const { value, headers, now } = event;
  const reading = signature.read({ value, schema: 0, start: 10, now, requestedAt: now - 5, deadlineAt: now + 30_000 });
  const rule = compileRules(flow, [schema]).first({ value, schema: 0, start: 10, headers }, reading);
  const input = {
    id: `e-${now}`,
    flow,
    policy,
    costs: [0.1, 0.3, 1],
    queuePrices: [0, 0.01, 0],
    signature: reading.row,
    signatureWidth: signature.width,
    rule,
    now,
  };
  let tag = sampleTag(input, route(input));
  for (;;) {
    // Each leg reads the tag from bytes, as a worker does.
    tag = decodeTag(encodeTag(tag));
    const answer = event.answers[tag.slip.position]!;
    const decision = afterAnswer({ flow, signatureWidth: signature.width, tag, policy, answer, now: now + 1 });
    if (decision.kind === 'stop') return servedPrediction(flow, { tag, answer, decision });
    tag = escalatedTag(tag, answer, decision);
  }
}

const width = compileSignature(flow, [schema]).width;
const weight = fc.float({ min: -3, max: 3, noNaN: true });
const heads = fc.tuple(
  ...['fast', 'standard'].flatMap((tier) =>
    (['route', 'stop'] as const).map((stage) => {
      const size = headWidth(width, 3, stage);
      return fc
        .float32Array({ minLength: size, maxLength: size, min: -3, max: 3, noNaN: true })
        .map((weights) => ({ tier, stage, weights }));
    }),
  ),
);
const policies = fc
  .record({
    heads,
    threshold: fc.double({ min: 0.01, max: 1, noNaN: true }),
    auditRate: fc.double({ min: 0.01, max: 1, noNaN: true }),
    version: fc.nat(),
  })
  .map((more) => samplePolicy({}, more));
const answer = (tier: string) =>
  fc
    .record({ label: fc.nat(2), confidence: fc.double({ min: 0.34, max: 1, noNaN: true }), margin: weight, entropy: weight })
    .map((more) => sampleAnswer(tier, more));
const events: fc.Arbitrary<Event> = fc.record({
  value: fc
    .record({ length: fc.double({ min: -5, max: 15, noNaN: true }), sender: fc.option(fc.string()) })
    .map((fields) => encodeSingleObject(type as never, fields)),
  headers: fc.constantFrom<Record<string, Buffer>>({}, { tenant: Buffer.from('vip') }),
  now: fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 }),
  answers: fc.tuple(answer('fast'), answer('standard'), answer('heavy')),
});

describe('a decision', () => {
  it('is the same again for the same bytes, headers, policy and now-stamp, bit for bit', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(events, policies, (event, policy) => {
        const first = serve(event, policy);
        const again = serve(structuredCloneOf(event), policy);
        expect(encodePrediction(again).equals(encodePrediction(first))).toBe(true);
        seen.add(first.trail.map(({ kind, tier }) => `${kind}:${tier}`).join(' '));
      }),
      { numRuns: 300 },
    );
    // The events must have taken many ways, else the property says little.
    expect(seen.size).toBeGreaterThan(4);
  });

  it('can be made again from the logged prediction alone and the policy it cites', () => {
    fc.assert(
      fc.property(events, policies, (event, policy) => {
        const logged = decodePrediction(encodePrediction(serve(event, policy)));
        const answers = logged.answers;
        const judged = answers.map((one, index) => {
          const position = logged.slip.tiers.findIndex((entry) => entry.tier === one.tier);
          const tag = { ...sampleTagOf(logged, logged.signature), slip: { ...logged.slip, position }, answers: answers.slice(0, index) };
          return afterAnswer({ flow, signatureWidth: width, tag, policy, answer: one, now: logged.trail[index + 1]!.at }).step;
        });
        expect(judged).toEqual(logged.trail.slice(1));
      }),
      { numRuns: 200 },
    );
  });
});

function structuredCloneOf(event: Event): Event {
  return { ...event, value: Buffer.from(event.value), answers: structuredClone(event.answers) };
}

function sampleTagOf(logged: Prediction, signature: SparseRow) {
  const { id, source, requestedAt, routedAt, policyVersion, propensity, slip, trail } = logged;
  return {
    id,
    flow: logged.flow,
    source,
    requestedAt,
    routedAt,
    deadlineAt: 0,
    policyVersion,
    schema: 0,
    shadow: false,
    propensity,
    slip,
    signature,
    trail: trail.slice(0, 1),
    answers: [],
  };
}
