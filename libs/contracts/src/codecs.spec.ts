import type { Answer, Example, PolicySnapshot, Prediction, Slip, Source, SparseRow, Step, Tag } from '@sluice/domain';
import { defineCodec } from './codec.ts';
import { codecs, decodeTag, encodeTag } from './codecs.ts';
import { predictionSchemaV1, tagSchemaV1, tagSchemaV2 } from './schemas/earlier.ts';
import { exampleSchemaV2, policySchemaV4 } from './schemas/feedback.ts';

const source: Source = { topic: 'mail.requests', partition: 1, offset: 4_000_000_007 };
const answer: Answer = { tier: 'fast', model: 'mail-fast', version: '1.0.0', label: 1, confidence: 0.9, margin: 0.8, entropy: 0.3 };
const step: Step = { kind: 'route', tier: 'fast', harm: 0.01, score: 0.4, reason: 'cheapest', at: 1_760_000_000_123, policyVersion: 7 };
const signature: SparseRow = { indices: Uint16Array.of(0, 3, 65535), values: Float32Array.of(1, -0.25, 3e-9) };
const audit = { probability: 0.04, drawn: true };
const slip: Slip = {
  tiers: [
    { tier: 'fast', model: 'mail-fast', cost: 0.02, queuePrice: 0.5, wait: 12, bar: 'envelope' },
    { tier: 'heavy', model: 'mail-heavy', cost: 1, queuePrice: Infinity, wait: 0, bar: '' },
  ],
  position: 0,
  threshold: 0.02,
  heavyOnly: false,
  auditRate: 0.04,
  auditDraw: 0.7,
  budget: 0.3,
  segment: 'acme',
};
const tag: Tag = {
  id: 'a-1',
  flow: 'mail',
  source,
  requestedAt: 1,
  routedAt: 2,
  deadlineAt: 3,
  policyVersion: 7,
  schema: 0,
  shadow: false,
  propensity: 0.96,
  slip,
  signature,
  trail: [step],
  answers: [answer],
};

const samples = {
  Tag: tag,
  Prediction: {
    ...{
      id: 'a-1',
      flow: 'mail',
      source,
      requestedAt: 1,
      routedAt: 2,
      deadlineAt: 3,
      policyVersion: 7,
      tier: 'fast',
      model: 'm',
      version: '1.0.0',
    },
    ...{ label: 'spam', confidence: 0.9, harm: 0.01, cost: 0.02, propensity: 1, slip: tag.slip, audit },
    ...{ signature, trail: [step, { ...step, kind: 'stop' as const }], answers: [answer] },
  },
  ShadowAnswer: { id: 'a-1', flow: 'mail', source, answer },
  Outcome: { id: 'ü-1', label: 'spam', at: 5, origin: 'report' as const },
  Example: {
    ...{ id: 'a-1', part: 'truth' as const, policyVersion: 7, at: 9, tier: 'fast', harm: 0.01, cost: 0.02, heavyOnly: false, audit },
    ...{ truth: 1, served: 2, segment: 'acme', source, signature, answers: [answer, answer] },
  },
  PolicySnapshot: {
    ...{ flow: 'mail', version: 12, examplesOffset: 40, threshold: 0.02, heavyOnly: true, reason: 'warm-up', auditRate: 0.04 },
    heads: [{ tier: 'fast', stage: 'stop' as const, weights: Float32Array.of(0.5, -1e-20) }],
    learner: Uint8Array.of(1, 2, 255),
    budgetLeft: { left: 12.5, events: 300 },
    segments: [{ segment: 'acme', offset: -0.5, heavyOnly: false }],
    heard: [4_000_000_008, 0],
    certificate: { events: 1000, estimate: 0.008, lower: 0.001, upper: 0.02 },
    panels: [
      {
        tiers: ['fast', 'heavy'],
        votes: Float32Array.of(1, -2),
        harm: Float32Array.of(),
        risks: [Float32Array.of(0.25)],
        gains: Float32Array.of(0, 0.5),
      },
    ],
  },
  Health: {
    ...{ flow: 'mail', model: 'm', version: '1.0.0', instance: 'i', at: 5, backend: 'wasm', gpu: false },
    ...{ base: 100.5, perRow: 2, queued: 0, served: 10, failed: 0, refusedVersion: '1.1.0', refusedWhy: 'output 0 is NaN' },
    ...{ refusedCode: 'SLUICE_MODEL_FAILED', breakerOpen: true, delay: 1_200 },
  },
  CatalogEntry: {
    ...{ model: 'm', version: '1.2.0', digest: 'a0', folder: 'm@1.2.0', at: 5 },
    measured: [{ executor: 'wasm', apart: 1e-7, otherLabels: 0, refused: '', timings: [{ n: 1, micros: 30.5 }] }],
  },
  DeadLetter: {
    ...{ code: 'SLUICE_AVRO_INVALID', class: 'reject' as const, message: 'm', stage: 'router', source, timestamp: 5, attempts: 1 },
  },
} satisfies { [Name in keyof typeof codecs]: ReturnType<(typeof codecs)[Name]['decode']> };

const names = Object.keys(samples) as (keyof typeof codecs)[];
const encoded = (name: keyof typeof codecs): Buffer => codecs[name].encode(samples[name] as never);
const codeOf = (name: keyof typeof codecs) => (name === 'Tag' ? 'SLUICE_TAG_INVALID' : 'SLUICE_AVRO_INVALID');

describe.each(names)('the codec of %s', (name) => {
  it('gives back what was encoded', () => {
    expect(codecs[name].decode(encoded(name))).toEqual(samples[name]);
  });

  it('starts every value with C3 01 and the fingerprint of its schema', () => {
    expect(encoded(name).subarray(0, 2).toString('hex')).toBe('c301');
    expect(new Set(names.map((other) => encoded(other).toString('hex', 2, 10))).size).toBe(names.length);
  });

  it('refuses every truncation, and a rest after the value', () => {
    const bytes = encoded(name);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => codecs[name].decode(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: codeOf(name) }));
    }
    expect(() => codecs[name].decode(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(expect.objectContaining({ code: codeOf(name) }));
  });

  it('gives only errors of the table for damaged bytes', () => {
    const bytes = encoded(name);
    for (let at = 10; at < bytes.length; at++) {
      for (const damage of [0xff, 0x7f, bytes[at]! ^ 1]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = damage;
        try {
          codecs[name].decode(damaged);
        } catch (error) {
          expect(error).toMatchObject({ code: codeOf(name) });
        }
      }
    }
  });
});

it('tags and predictions of the first version are read, what came later at its default', () => {
  const tiers = slip.tiers.map((tier) => ({ ...tier, wait: 0, bar: '' }));
  const before = { slip: { ...slip, tiers, budget: null, segment: '' } };
  const tagV1 = defineCodec<Tag>({ schema: tagSchemaV1 }).encode(tag);
  expect(codecs.Tag.decode(tagV1)).toEqual({ ...tag, ...before });
  const predictionV1 = defineCodec<Prediction>({ schema: predictionSchemaV1 }).encode(samples.Prediction);
  expect(codecs.Prediction.decode(predictionV1)).toEqual({ ...samples.Prediction, ...before, deadlineAt: 0 });
});

it('what was written before flows had segments is read as of a flow without', () => {
  const policyV4 = defineCodec<PolicySnapshot>({ schema: policySchemaV4 }).encode(samples.PolicySnapshot);
  expect(codecs.PolicySnapshot.decode(policyV4)).toEqual({ ...samples.PolicySnapshot, segments: [], heard: [] });
  const exampleV2 = defineCodec<Example>({ schema: exampleSchemaV2 }).encode(samples.Example);
  expect(codecs.Example.decode(exampleV2)).toEqual({ ...samples.Example, segment: '', source: null });
  const tagV2 = defineCodec<Tag>({ schema: tagSchemaV2 }).encode(tag);
  expect(codecs.Tag.decode(tagV2)).toEqual({ ...tag, slip: { ...slip, segment: '' } });
});

it('a tag does not keep the buffer it was read from alive', () => {
  const slab = Buffer.concat([Buffer.alloc(1000), encodeTag(tag)]);
  const read = decodeTag(slab.subarray(1000));
  slab.fill(0xee);
  expect(read).toEqual(tag);
});

it('a value larger than any before is encoded whole', () => {
  const learner = new Uint8Array(3_000_000).fill(7);
  const policy = { ...samples.PolicySnapshot, learner };
  expect(Buffer.compare(codecs.PolicySnapshot.decode(codecs.PolicySnapshot.encode(policy)).learner, learner)).toBe(0);
  expect(codecs.Outcome.decode(codecs.Outcome.encode(samples.Outcome))).toEqual(samples.Outcome);
});

it('what was encoded stays as it is when other values are encoded, with rows of any length', () => {
  const encoded = [0, 3, 65_536, 3].map((columns, at) => {
    const values = Float32Array.from({ length: columns }, (_, column) => at + column);
    return encodeTag({ ...tag, signature: { indices: Uint16Array.from(values.keys()), values } });
  });
  const rows = encoded.map((bytes) => decodeTag(bytes).signature);
  expect(rows.map(({ indices, values }) => [indices.length, values[0], values.at(-1)])).toEqual([
    [0, undefined, undefined],
    [3, 1, 3],
    [65_536, 2, 65_537],
    [3, 3, 5],
  ]);
});
