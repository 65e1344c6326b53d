/**
 * Cost of one routing decision on a 30-field record: signature, pre-route, stop rule and tag, apart and together.
 *
 * Runs are interleaved (every part once per round) so that a change in the machine's speed hits all parts alike; printed are the
 * medians over rounds of each round's quantiles.
 *
 * @example node tools/bench/src/decision.ts --rounds 9 --events 20000
 */
import { encodeSingleObject, encodeTag } from '@sluice/contracts';
import { parseFlow, type Answer, type Head, type PolicySnapshot, type Tag } from '@sluice/domain';
import { afterAnswer, compileRules, compileSignature, headWidth, initialPolicy, route, type RouteInput } from '@sluice/routing';
import avro from 'avsc';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    events: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
  },
});
const rounds = Number(options.rounds);
const events = Number(options.events);

/** 20 numbers, 7 categories, a text, a time, a flag field that is not read: 30 fields. */
const fields = [
  ...Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, type: i % 2 === 0 ? 'double' : ['null', 'long'] })),
  ...Array.from({ length: 7 }, (_, i) => ({ name: `c${i}`, type: 'string' })),
  { name: 'text', type: 'string' },
  { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'unread', type: 'boolean' },
];
const schema = { type: 'record', name: 'Bench', fields };

const flow = parseFlow({
  flow: 'bench',
  description: 'A record of 30 fields through three tiers.',
  request: { schemas: ['bench.avsc'] },
  labels: ['a', 'b', 'c'],
  signature: [
    ...Array.from({ length: 20 }, (_, i) => ({ field: `n${i}`, kind: 'number', min: 0, max: 100 })),
    ...Array.from({ length: 7 }, (_, i) => ({ field: `c${i}`, kind: 'category', buckets: 32 })),
    { field: 'text', kind: 'text', buckets: 256, maxBytes: 256 },
    { field: 'time', kind: 'time', parts: ['hour', 'weekday'] },
  ],
  tiers: ['fast', 'standard', 'heavy'].map((name) => ({ name, model: name })),
  target: {},
  rules: [{ name: 'large', when: "size > 100000 or header.tenant = 'vip'", tier: 'heavy', because: 'seldom, and dear to get wrong' }],
});

const now = 1_700_000_000_000;
const random = mulberry32(Number(options.seed));
const signature = compileSignature(flow, [schema]);
const rules = compileRules(flow, [schema]);
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);
const values = Array.from({ length: 512 }, () => encodeSingleObject(type as never, record()));
const policy = randomPolicy();
const answer: Answer = { tier: 'fast', model: 'fast', version: '1.0.0', label: 1, confidence: 0.8, margin: 0.6, entropy: 0.5 };
const costs = [0.05, 0.25, 1];
const queuePrices = [0, 0.01, 0];

let sink = 0;

const read = (value: Buffer) => signature.read({ value, schema: 0, start: 10, now, requestedAt: now - 20, deadlineAt: now + 30_000 });
const readings = values.map(read);
const inputs = values.map((value, i): RouteInput => {
  const reading = readings[i]!;
  const rule = rules.first({ value, schema: 0, start: 10, headers: {}, ...reading });
  return {
    id: `bench.requests/0/${i}`,
    flow,
    policy,
    costs,
    queuePrices,
    signature: reading.row,
    signatureWidth: signature.width,
    rule,
    now,
  };
});
const tags = inputs.map(tagOf);

const parts: Record<string, (i: number) => void> = {
  'empty loop (timer)': (i) => void (sink += i),
  signature: (i) => void (sink += read(values[i]!).row.indices.length),
  'rules (1)': (i) =>
    void (sink += rules.first({ value: values[i]!, schema: 0, start: 10, headers: {}, ...readings[i]! }) === undefined ? 0 : 1),
  'pre-route': (i) => void (sink += route(inputs[i]!).position),
  'stop rule': (i) => void (sink += afterAnswer({ flow, signatureWidth: signature.width, tag: tags[i]!, policy, answer, now }).position),
  'tag encode': (i) => void (sink += encodeTag(tags[i]!).length),
  'signature + rules + pre-route': (i) => {
    const value = values[i]!;
    const reading = read(value);
    const rule = rules.first({ value, schema: 0, start: 10, headers: {}, ...reading });
    sink += route({
      id: inputs[i]!.id,
      flow,
      policy,
      costs,
      queuePrices,
      signature: reading.row,
      signatureWidth: signature.width,
      rule,
      now,
    }).position;
  },
};

const results = new Map(Object.keys(parts).map((name) => [name, [] as { p50: number; p99: number }[]]));
for (const run of Object.values(parts)) measure(run);
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(parts)) results.get(name)!.push(measure(run));
}

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'} x ${cpus().length}, seed ${options.seed}`);
console.log(
  `${fields.length} fields, ${signature.width} columns (${inputs[0]!.signature.indices.length} non-zero in the first record), 3 tiers; median of ${rounds} interleaved rounds of ${events} events`,
);
for (const [name, quantiles] of results) {
  const [p50, p99] = [median(quantiles.map((one) => one.p50)), median(quantiles.map((one) => one.p99))];
  console.log(`${name.padEnd(32)} p50 ${p50.toFixed(2).padStart(7)} us   p99 ${p99.toFixed(2).padStart(7)} us`);
}
if (!(sink > 0)) throw new Error('nothing was computed');

function measure(run: (i: number) => void): { p50: number; p99: number } {
  const times = new Float64Array(events);
  for (let i = 0; i < events; i++) {
    const start = performance.now();
    run(i % values.length);
    times[i] = (performance.now() - start) * 1000;
  }
  times.sort();
  return { p50: times[Math.floor(events * 0.5)]!, p99: times[Math.floor(events * 0.99)]! };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

function record() {
  const words = Array.from({ length: 20 }, () => `w${Math.floor(random() * 5000)}`);
  return Object.fromEntries([
    ...Array.from({ length: 20 }, (_, i) => [`n${i}`, i % 2 === 0 ? random() * 110 : random() < 0.2 ? null : Math.floor(random() * 100)]),
    ...Array.from({ length: 7 }, (_, i) => [`c${i}`, `value-${Math.floor(random() * 50)}`]),
    ['text', words.join(' ')],
    ['time', now + Math.floor(random() * 1e9)],
    ['unread', random() < 0.5],
  ]);
}

function randomPolicy(): PolicySnapshot {
  const heads = ['fast', 'standard'].flatMap((tier) =>
    (['route', 'stop'] as const).map((stage): Head => {
      const weights = Float32Array.from({ length: headWidth(signature.width, flow.labels.length, stage) }, () => random() - 0.5);
      weights[0] = -4;
      return { tier, stage, weights };
    }),
  );
  return { ...initialPolicy(flow), version: 1, heavyOnly: false, reason: 'controlled', heads };
}

function tagOf(input: RouteInput): Tag {
  const { slip, step, propensity } = route(input);
  return {
    id: input.id,
    flow: flow.flow,
    source: { topic: 'bench.requests', partition: 0, offset: 1 },
    requestedAt: now - 20,
    routedAt: now,
    deadlineAt: now + 30_000,
    policyVersion: policy.version,
    schema: 0,
    shadow: false,
    propensity,
    slip: { ...slip, position: 0 },
    signature: input.signature,
    trail: [step],
    answers: [],
  };
}

/** A small seeded generator (mulberry32), so that every run measures the same records. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
