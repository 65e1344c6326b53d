import { decodePrediction, decodeTag, encodePrediction, encodeSingleObject, encodeTag, RequestSchemas } from '@sluice/contracts';
import { otherSegment, type Answer, type Flow, type Head, type PolicySnapshot, type Prediction } from '@sluice/domain';
import avro from 'avsc';
import fc from 'fast-check';
import { headWidth } from './heads.ts';
import { escalatedTag, servedPrediction } from './leg.ts';
import { replayTrail } from './replay.ts';
import { route } from './route.ts';
import { compileRules } from './rules/rules.ts';
import { compileSignature, type Signature } from './signature.ts';
import { afterAnswer } from './stop.ts';
import { sampleAnswer, sampleFlow, samplePolicy, sampleTag } from './testing/sample.ts';

/** Policies and streams per run, and events per stream. */
const [streams, events] = [100, 1000];

const schema = {
  type: 'record',
  name: 'Mail',
  fields: [
    { name: 'length', type: 'double' },
    { name: 'sender', type: ['null', 'string'] },
    { name: 'links', type: ['null', 'long'] },
  ],
} as const;
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);
const envelopes = [
  { schemas: [], ranges: { length: { min: -3, max: 12 } } },
  { schemas: [], ranges: { length: { min: -4, max: 14 }, links: { min: 0, max: 900 } } },
  undefined,
];
const flow: Flow = sampleFlow(undefined, {
  signature: [
    { field: 'length', kind: 'number', min: 0, max: 10 },
    { field: 'links', kind: 'number' },
    { field: 'sender', kind: 'category', buckets: 8, signed: true },
  ],
  target: { segments: { by: 'sender' } },
  rules: [{ name: 'vip', when: "header.tenant = 'vip' and length < 5", tier: 'standard', because: 'they pay' }],
});

/** All there is of an event: everything a decision may depend on. */
interface Event {
  readonly id: string;
  readonly value: Buffer;
  readonly headers: Record<string, Buffer>;
  readonly now: number;
  readonly budget: number | null;
  readonly waits: readonly number[];
  readonly answers: readonly Answer[];
}

interface Reader {
  readonly signature: Signature;
  readonly rules: ReturnType<typeof compileRules>;
  readonly schemas: RequestSchemas;
}

const readerOf = (): Reader => ({
  signature: compileSignature(flow, [schema], envelopes),
  rules: compileRules(flow, [schema]),
  schemas: new RequestSchemas([schema]),
});

/** Routes an event and lets tiers answer until one answer is served: router and workers in one, each reading the tag from bytes. */
function serve(event: Event, policy: PolicySnapshot, { signature, rules, schemas }: Reader): Prediction {
  const { id, value, headers, now, budget, waits } = event;
  const request = { value, ...schemas.identify(value), headers, now, requestedAt: now - 5, deadlineAt: now + 40 };
  const reading = signature.read(request);
  const input = {
    ...{ id, flow, policy, costs, queuePrices, waits, budget, now, bars: reading.bars, deadlineAt: request.deadlineAt },
    ...{ signature: reading.row, signatureWidth: signature.width, rule: rules.first(request, reading), segment: reading.segment },
  };
  let tag = { ...sampleTag(input, route(input)), deadlineAt: request.deadlineAt };
  for (let leg = 1; ; leg++) {
    tag = decodeTag(encodeTag(tag));
    const answer = event.answers[tag.slip.position]!;
    const decision = afterAnswer({ flow, signatureWidth: signature.width, tag, policy, answer, now: now + 9 * leg });
    if (decision.kind === 'stop') return servedPrediction(flow, { tag, answer, decision });
    tag = escalatedTag(tag, answer, decision);
  }
}

const costs = [0.1, 0.3, 1];
const queuePrices = [0, 0.01, 0];
const { width } = readerOf().signature;

/** Uniform numbers in [0, 1): 100,000 events drawn by fast-check itself would take minutes (xorshift32, Marsaglia 2003). */
function numbersOf(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function eventOf(random: () => number, index: number): Event {
  const record = {
    length: random() * 20 - 5,
    sender: random() < 0.2 ? null : `s${Math.floor(random() * 50)}.org`,
    links: random() < 0.2 ? null : Math.floor(random() * 1000),
  };
  const answerOf = (tier: string): Answer =>
    sampleAnswer(tier, { label: Math.floor(random() * 3), confidence: 0.34 + 0.66 * random(), margin: random(), entropy: random() });
  return {
    id: `e-${index}`,
    value: encodeSingleObject(type as never, record),
    headers: random() < 0.2 ? { tenant: Buffer.from('vip') } : {},
    now: 1_700_000_000_000 + index,
    budget: random() < 0.3 ? random() * 1.4 : null,
    waits: [random(), random(), random()].map((one) => Math.floor(one * 45)),
    answers: ['fast', 'standard', 'heavy'].map(answerOf),
  };
}

function policyOf(random: () => number, version: number): PolicySnapshot {
  const heads = ['fast', 'standard'].flatMap((tier) =>
    (['route', 'stop'] as const).map((stage): Head => {
      const weights = Float32Array.from({ length: headWidth(width, 3, stage) }, () => random() * 4 - 2);
      return { tier, stage, weights };
    }),
  );
  // Senders s0 to s9 are controlled apart, one of them at its safe end; all others and those without a sender together.
  const segments = [...Array.from({ length: 10 }, (_, n) => `s${n}.org`), otherSegment].map((segment, n) => ({
    ...{ segment, offset: random() * 6 - 4, heavyOnly: n === 3 },
  }));
  return samplePolicy(
    {},
    { segments, heads, version, threshold: 0.01 + random() ** 3, auditRate: 0.01 + random() / 2, heavyOnly: random() < 0.05 },
  );
}

it('100,000 decisions are the same again for the same bytes, headers, policy and now-stamp, bit for bit, also from the log alone', () => {
  const ways = new Set<string>();
  const thresholds = new Map<string, Set<number>>();
  let count = 0;
  const property = fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
    const random = numbersOf(seed);
    const policy = policyOf(random, seed);
    const stream = Array.from({ length: events }, (_, index) => eventOf(random, index));
    const policies = new Map([[policy.version, policy]]);
    const [first, second] = [readerOf(), readerOf()];
    const logged = stream.map((event) => encodePrediction(serve(event, policy, first)));
    // The second reader sees the events the other way round, so that nothing that is kept between two can stay hidden.
    const again = stream.toReversed().map((event) => encodePrediction(serve(event, policy, second)));
    for (let index = 0; index < events; index++) {
      if (!again[events - 1 - index]!.equals(logged[index]!)) throw new Error(`event ${index} is decided otherwise the second time`);
      const prediction = decodePrediction(logged[index]!);
      const difference = replayTrail({ flow, signatureWidth: width, prediction, policies });
      if (difference !== undefined) throw new Error(`event ${index}: ${difference}`);
      thresholds.set(prediction.slip.segment, (thresholds.get(prediction.slip.segment) ?? new Set()).add(prediction.slip.threshold));
      ways.add(prediction.trail.map(({ kind, tier, reason }) => `${kind}:${tier}:${reason.split(':')[0]}`).join(' '));
      count++;
    }
  });
  fc.assert(property, { numRuns: streams });
  expect(count).toBe(streams * events);
  // The events must have taken many ways, else the property says little.
  expect(ways.size).toBeGreaterThan(15);
  // 50 senders and none, under each policy with a threshold of its own or that of all others; some seeds come twice.
  expect(thresholds.size).toBe(51);
  expect([...thresholds.values()].every(({ size }) => size > streams / 2)).toBe(true);
  expect([...ways].filter((way) => way.startsWith('route:heavy:heavy-only')).length).toBeGreaterThan(0);
});
