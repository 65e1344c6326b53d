import { encodeSingleObject } from '@sluice/contracts';
import { parseFlow, type Flow, type Head, type Panel, type PolicySnapshot } from '@sluice/domain';
import { headWidth, initialPolicy, panelWidth, signatureShape, votesWidth } from '@sluice/routing';
import avro from 'avsc';
import { mulberry32 } from '../random.ts';

/** The now-stamp of every decision. */
export const now = 1_700_000_000_000;

/** What one cell of the table decides about. */
export interface Workload {
  readonly flow: Flow;
  readonly schema: object;
  readonly policy: PolicySnapshot;
  /** That of the first tier alone, which the policy lacks. */
  readonly panels: readonly Panel[];
  /** Relative costs of the tiers, heavy = 1. */
  readonly costs: readonly number[];
  /** Encoded requests. */
  readonly values: readonly Buffer[];
}

export interface Size {
  readonly fields: number;
  readonly tiers: number;
  readonly seed: number;
}

/** Of `fields` fields two thirds are numbers, one each a text of 20 words, a time and a flag that nobody reads; the rest are categories. */
function countsOf(fields: number): { readonly numbers: number; readonly categories: number } {
  const numbers = Math.floor((fields * 2) / 3);
  return { numbers, categories: fields - numbers - 3 };
}

export function workloadOf({ fields, tiers, seed }: Size): Workload {
  const random = mulberry32(seed);
  const schema = schemaOf(fields);
  const flow = flowOf(fields, tiers);
  const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);
  return {
    flow,
    schema,
    policy: policyOf(flow, schema, random),
    panels: [panelOf(flow, schema, mulberry32(seed))],
    costs: Array.from({ length: tiers }, (_, i) => 0.2 ** (((tiers - 1 - i) / (tiers - 1)) * 2)),
    values: Array.from({ length: 512 }, () => encodeSingleObject(type as never, recordOf(fields, random))),
  };
}

function schemaOf(fields: number): object {
  const { numbers, categories } = countsOf(fields);
  return {
    type: 'record',
    name: 'Bench',
    fields: [
      ...Array.from({ length: numbers }, (_, i) => ({ name: `n${i}`, type: i % 2 === 0 ? 'double' : ['null', 'long'] })),
      ...Array.from({ length: categories }, (_, i) => ({ name: `c${i}`, type: 'string' })),
      { name: 'text', type: 'string' },
      { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'unread', type: 'boolean' },
    ],
  };
}

function flowOf(fields: number, tiers: number): Flow {
  const { numbers, categories } = countsOf(fields);
  const names = Array.from({ length: tiers }, (_, i) => (i === tiers - 1 ? 'heavy' : `light-${i}`));
  return parseFlow({
    flow: 'bench',
    description: `A record of ${fields} fields through ${tiers} tiers.`,
    request: { schemas: ['bench.avsc'] },
    labels: ['a', 'b', 'c'],
    signature: [
      ...Array.from({ length: numbers }, (_, i) => ({ field: `n${i}`, kind: 'number', min: 0, max: 100 })),
      ...Array.from({ length: categories }, (_, i) => ({ field: `c${i}`, kind: 'category', buckets: 32 })),
      { field: 'text', kind: 'text', buckets: 256, maxBytes: 256 },
      { field: 'time', kind: 'time', parts: ['hour', 'weekday'] },
    ],
    tiers: names.map((name) => ({ name, model: name })),
    target: {},
    rules: [{ name: 'large', when: "size > 100000 or header.tenant = 'vip'", tier: 'heavy', because: 'seldom, and dear to get wrong' }],
  });
}

function recordOf(fields: number, random: () => number): object {
  const { numbers, categories } = countsOf(fields);
  const words = Array.from({ length: 20 }, () => `w${Math.floor(random() * 5000)}`);
  return Object.fromEntries([
    ...Array.from({ length: numbers }, (_, i) => [
      `n${i}`,
      i % 2 === 0 ? random() * 110 : random() < 0.2 ? null : Math.floor(random() * 100),
    ]),
    ...Array.from({ length: categories }, (_, i) => [`c${i}`, `value-${Math.floor(random() * 50)}`]),
    ['text', words.join(' ')],
    ['time', now + Math.floor(random() * 1e9)],
    ['unread', random() < 0.5],
  ]);
}

function policyOf(flow: Flow, schema: object, random: () => number): PolicySnapshot {
  const { width } = signatureShape(flow, [schema]);
  const heads = flow.tiers.slice(0, -1).flatMap(({ name }) =>
    (['route', 'stop'] as const).map((stage): Head => {
      const weights = Float32Array.from({ length: headWidth(width, flow.labels.length, stage) }, () => random() - 0.5);
      weights[0] = -4;
      return { tier: name, stage, weights };
    }),
  );
  return { ...initialPolicy(flow), version: 1, heavyOnly: false, reason: 'controlled', heads };
}

function panelOf(flow: Flow, schema: object, random: () => number): Panel {
  const { width: signatureWidth } = signatureShape(flow, [schema]);
  const labels = flow.labels.length;
  const weights = (length: number): Float32Array => Float32Array.from({ length }, () => random() - 0.5);
  const missing = flow.tiers.length - 1;
  const risks = flow.tiers.map(() => {
    const one = weights(panelWidth({ signatureWidth, labels }, 1));
    one[0] = -4;
    return one;
  });
  return {
    tiers: [flow.tiers[0]!.name],
    votes: weights(votesWidth(1, labels)),
    harm: new Float32Array(0),
    risks,
    gains: weights(2 * missing ** 2),
  };
}
