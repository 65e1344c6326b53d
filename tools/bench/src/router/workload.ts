import { encodeSingleObject } from '@sluice/contracts';
import { parseFlow, type Flow, type Head, type PolicySnapshot } from '@sluice/domain';
import { headWidth, initialPolicy, signatureShape } from '@sluice/routing';
import avro from 'avsc';
import { mulberry32 } from '../random.ts';

const numbers = 8;
const categories = 3;
const buckets = 32;
/** Makes a value 500 bytes long. */
const noteLength = 397;

/** 8 numbers, 3 categories and a text that the signature does not name: 500 bytes in Avro. */
export const schema = {
  type: 'record',
  name: 'Bench',
  fields: [
    ...Array.from({ length: numbers }, (_, i) => ({ name: `n${i}`, type: 'double' })),
    ...Array.from({ length: categories }, (_, i) => ({ name: `c${i}`, type: 'string' })),
    { name: 'note', type: 'string' },
  ],
};

/** Relative costs of the three tiers. */
export const costs = [0.05, 0.25, 1];

/** The flow of one run. Its name is part of its topics, so that each run writes to fresh ones. */
export function flowOf(name: string): Flow {
  return parseFlow({
    flow: name,
    description: 'Typed events of 500 bytes through three tiers.',
    request: { schemas: ['bench.avsc'], deadlineMs: 86_400_000, dedupWindow: 0 },
    labels: ['a', 'b', 'c'],
    signature: [
      ...Array.from({ length: numbers }, (_, i) => ({ field: `n${i}`, kind: 'number', min: 0, max: 100 })),
      ...Array.from({ length: categories }, (_, i) => ({ field: `c${i}`, kind: 'category', buckets })),
    ],
    tiers: ['fast', 'standard', 'heavy'].map((tier) => ({ name: tier, model: tier })),
    target: {},
  });
}

/** Linear heads with seeded weights: about a third of the events for each tier. */
export function policyOf(flow: Flow): PolicySnapshot {
  const random = mulberry32(7);
  const { width } = signatureShape(flow, [schema]);
  const heads = (['fast', 'standard'] as const).map((tier, at): Head => {
    const weights = Float32Array.from({ length: headWidth(width, flow.labels.length, 'route') }, () => (random() - 0.5) * 6);
    weights[0] = at === 0 ? -4 : -7;
    return { tier, stage: 'route', weights };
  });
  return { ...initialPolicy(flow), version: 1, heavyOnly: false, reason: 'controlled', heads };
}

/** `count` different events, encoded; each run sends them round and round. */
export function eventValues(count: number): Buffer[] {
  const random = mulberry32(1);
  const type = avro.Type.forSchema(schema as never);
  return Array.from({ length: count }, () =>
    encodeSingleObject(type as never, {
      ...Object.fromEntries(Array.from({ length: numbers }, (_, i) => [`n${i}`, random() * 110])),
      ...Object.fromEntries(Array.from({ length: categories }, (_, i) => [`c${i}`, `value-${Math.floor(random() * 50)}`])),
      note: 'n'.repeat(noteLength),
    }),
  );
}
