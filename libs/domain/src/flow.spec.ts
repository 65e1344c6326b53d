import { delayText, fallbacksOf } from './fallback.ts';
import { flowJsonSchema } from './flow-json-schema.ts';
import { parseFlow } from './flow.ts';

const least = {
  flow: 'mail',
  description: 'Mail, spam or not.',
  request: { schemas: ['mail.avsc'] },
  labels: ['ham', 'spam'],
  signature: [{ field: 'size', kind: 'number', min: 0, max: 100 }],
  tiers: [
    { name: 'fast', model: 'mail-fast' },
    { name: 'heavy', model: 'mail-heavy' },
  ],
  target: {},
};

const faultsOf = (changes: object): string => {
  try {
    parseFlow({ ...least, ...changes }, 'mail.yaml');
  } catch (error) {
    expect(error).toMatchObject({ code: 'SLUICE_FLOW_INVALID' });
    return (error as Error).message;
  }
  throw new Error('the flow was taken');
};

describe('a flow document', () => {
  it('needs little: everything else has a default', () => {
    const flow = parseFlow(least);
    expect(flow.request).toMatchObject({ partitions: 2, maxBytes: 1_000_000, deadlineMs: 30_000, dedupWindow: 2_000, confluentIds: {} });
    expect(flow).toMatchObject({
      target: { maxLoss: 0.01 },
      delivery: 'exactly-once',
      rules: [],
      controller: { enabled: true, warmUp: 300 },
    });
    expect(flow.audit.rate).toBe(0.04);
    expect(flow.feedback).toEqual({ mode: 'truth', windowMs: 600_000, graceMs: 60_000 });
    expect(flow.signature[0]).toMatchObject({ scale: 'range' });
  });

  it('names delays by their largest whole unit', () => {
    expect([5_000, 60_000, 600_000, 3_600_000, 90_000, 1_500].map(delayText)).toEqual(['5s', '1m', '10m', '1h', '90s', '1500ms']);
  });

  it('says what is done when a tier gives no answer, once or for one tier', () => {
    const flow = parseFlow({ ...least, fallback: ['lighter'], tiers: [{ ...least.tiers[0], fallback: ['dead-letter'] }, least.tiers[1]] });
    expect(fallbacksOf(flow, 'fast')).toEqual(['dead-letter']);
    expect(fallbacksOf(flow, 'heavy')).toEqual(['lighter']);
  });

  it.each<[string, object, string[]]>([
    ['a name that is no topic segment', { flow: 'My Mail' }, ['flow: ']],
    ['a field that nobody knows', { shards: 3 }, ['(document): ', 'shards']],
    ['a single tier', { tiers: [least.tiers[0]] }, ['tiers: ']],
    ['a tier declared twice', { tiers: [least.tiers[0], least.tiers[0]] }, ['tiers: tier fast is declared twice']],
    [
      'a rule for a tier that does not exist',
      { rules: [{ name: 'vip', when: 'size > 1', tier: 'slow', because: 'b' }] },
      ['rules.0.tier: no tier is called slow; known: fast, heavy'],
    ],
    [
      'a Confluent id for a schema that does not exist',
      { request: { schemas: ['a'], confluentIds: { '7': 1 } } },
      ['request.confluentIds.7: there is no schema 1'],
    ],
    ['a Confluent id that is no number', { request: { schemas: ['a'], confluentIds: { x: 0 } } }, ['request.confluentIds']],
    ['a way back on answers that nobody keeps', { fallback: ['cached'] }, ['fallback: cached needs a tier with cacheMb']],
    [
      'the same for one tier',
      {
        tiers: [
          { ...least.tiers[0], fallback: ['cached', 'heavier'] },
          { ...least.tiers[1], cacheMb: 1 },
        ],
      },
      ['tiers.0.fallback: cached needs a tier with cacheMb'],
    ],
    ['a way after the last', { fallback: ['dead-letter', 'lighter'] }, ['fallback: nothing comes after dead-letter']],
    ['a delay that comes twice', { retry: { delaysMs: [5_000, 5_000] } }, ['retry.delaysMs: each delay needs a topic of its own']],
    ['a dwell time above the longest', { breaker: { dwellMs: 31_000 } }, ['breaker.longestMs: must be at least dwellMs']],
    ['a target of certainty', { target: { maxLoss: 0 } }, ['target.maxLoss: ']],
    [
      'segments of a budget',
      { target: { segments: { by: 'size', edges: [1] }, budget: { perEvent: 0.5 }, primary: 'budget' } },
      ['target.segments: '],
    ],
    ['edges that do not rise', { target: { segments: { by: 'size', edges: [2, 2] } } }, ['target.segments.edges: must rise']],
    ['a feature of an unknown kind', { signature: [{ field: 'a', kind: 'colour' }] }, ['signature.0.kind: ']],
    ['an empty range', { signature: [{ field: 'a', kind: 'number', min: 1, max: 1 }] }, ['signature.0.max: must be above min']],
    [
      'a pool that leaves a rest',
      { signature: [{ field: 'a', kind: 'bytes', length: 784, pool: 5 }] },
      ['signature.0.pool: must divide length'],
    ],
    ['no document at all', { flow: undefined, labels: 'ham' }, ['flow: ', 'labels: ']],
  ])('is refused for %s, with the path', (_, changes, expected) => {
    const message = faultsOf(changes);
    for (const part of expected) expect(message).toContain(part);
  });

  it('is refused with every fault at once, and the name of its file', () => {
    const message = faultsOf({ flow: '', labels: ['one'], target: { maxLoss: 2 }, delivery: 'perhaps' });
    expect(message).toMatch(/^mail\.yaml has 4 faults:/);
    for (const path of ['flow', 'labels', 'target.maxLoss', 'delivery']) expect(message).toContain(`\n  ${path}: `);
  });

  it.each([null, undefined, 'text', []])('that is %j is refused as a whole', (document) => {
    expect(() => parseFlow(document)).toThrow(
      expect.objectContaining({ code: 'SLUICE_FLOW_INVALID', message: expect.stringContaining('flow has 1 fault:\n  (document): ') }),
    );
  });
});

interface JsonSchema {
  readonly $schema?: string;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly properties: Readonly<Record<string, JsonSchema & { readonly default?: unknown }>>;
}

describe('the JSON Schema of a flow', () => {
  const schema = flowJsonSchema() as JsonSchema;

  it('asks for what has no default, and for nothing else', () => {
    expect([...schema.required!].sort()).toEqual(Object.keys(least).sort());
    expect(schema.properties['request']!.required).toEqual(['schemas']);
    expect(schema.properties['delivery']!.default).toBe('exactly-once');
  });

  it('knows every field of a parsed flow, and warns of others', () => {
    expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(parseFlow(least)).sort());
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties['request']!.additionalProperties).toBe(false);
  });

  it('is JSON that editors read: draft 7, without references to elsewhere', () => {
    expect(schema.$schema).toContain('draft-07');
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });
});
