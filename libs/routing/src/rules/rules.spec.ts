import { encodeSingleObject } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import avro from 'avsc';
import fc from 'fast-check';
import { sampleFlow } from '../testing/sample.ts';
import type { SignatureFacts } from '../signature.ts';
import { compileRules, type RuleRequest } from './rules.ts';
import { parseCondition } from './parse.ts';
import { printExpression, type Comparison, type Expression, type Operand } from './syntax.ts';

const schema = {
  type: 'record',
  name: 'Mail',
  namespace: 'demo',
  fields: [
    { name: 'subject', type: 'string' },
    { name: 'parts', type: 'int' },
    { name: 'score', type: ['null', 'double'] },
    { name: 'vip', type: 'boolean' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['LIST', 'DIRECT'] } },
    {
      name: 'sender',
      type: {
        type: 'record',
        name: 'Sender',
        fields: [
          { name: 'domain', type: ['null', 'string'] },
          { name: 'seen', type: { type: 'long', logicalType: 'timestamp-millis' } },
        ],
      },
    },
    { name: 'other', type: ['null', 'demo.Sender'] },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
} as const;
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);

const mail = {
  subject: "Don't miss it",
  parts: 3,
  score: null as number | null,
  vip: true,
  kind: 'DIRECT',
  sender: { domain: 'example.org', seen: 1_000 },
  other: null as { domain: string | null; seen: number } | null,
  tags: [],
};

type Facts = RuleRequest & SignatureFacts;

function request(more: Partial<Facts> = {}, fields: Partial<typeof mail> = {}): Facts {
  const value = encodeSingleObject(type as never, { ...mail, ...fields });
  return {
    value,
    schema: 0,
    start: 10,
    headers: {},
    size: value.length,
    staleness: 20,
    timeLeft: 500,
    missing: 1,
    outOfRange: 0,
    novelty: 0.25,
    ...more,
  };
}

function rulesOf(...conditions: string[]) {
  const rules = conditions.map((when, index) => ({ name: `rule-${index}`, when, tier: 'heavy', because: `reason ${index}` }));
  return compileRules(sampleFlow(undefined, { rules }), [schema]);
}

const holds = (condition: string, one: Facts = request()) => rulesOf(condition).first(one, one) !== undefined;

function faultOf(condition: string): string {
  try {
    rulesOf(condition);
  } catch (error) {
    expect((error as SluiceError).code).toBe('SLUICE_FLOW_INVALID');
    return (error as SluiceError).message;
  }
  throw new Error(`${condition} was accepted`);
}

describe('a condition', () => {
  it.each([
    ['parts = 3', true],
    ['parts != 3', false],
    ['parts >= 3 and parts <= 3', true],
    ['parts < 3 or parts > 3', false],
    ["kind = 'DIRECT'", true],
    ["kind in ('LIST', 'DIRECT')", true],
    ['parts in (1, 2)', false],
    ["subject contains 'n''t miss'", true],
    ["not subject contains 'sale'", true],
    ["sender.domain = 'example.org'", true],
    ['sender.seen < 2e3', true],
    ['vip', true],
    ['vip = false', false],
    ["not vip or parts = 3 and kind = 'LIST'", false],
    ['(not vip or parts = 3) and staleness = 20', true],
    ['timeLeft < 1000', true],
    ['novelty > 0.2 and missing = 1 and outOfRange = 0', true],
    ['size > 10', true],
    ['3 = parts', true],
  ])('%s is %s', (condition, expected) => expect(holds(condition)).toBe(expected));

  it('on a missing value is false, unless it is negated', () => {
    expect([holds('score > 0'), holds('score != 0'), holds('not (score = 0)'), holds("other.domain = 'x'")]).toEqual([
      false,
      false,
      true,
      false,
    ]);
    expect([holds('header.a = header.b'), holds('header.a != header.b')]).toEqual([false, false]);
    expect(holds('score > 0', request({}, { score: 0.5 }))).toBe(true);
    expect(holds("other.domain = 'x'", request({}, { other: { domain: 'x', seen: 0 } }))).toBe(true);
  });

  it('reads headers as text, and as numbers where it compares with one', () => {
    const headers = { tenant: Buffer.from('acme'), priority: Buffer.from('7'), 'x-odd': 'no number' };
    expect(holds("header.tenant = 'acme' and header.priority > 5", request({ headers }))).toBe(true);
    expect(holds("header.priority = '7'", request({ headers }))).toBe(true);
    expect(holds('header.x-odd < 5 or header.x-odd >= 5 or header.absent = 1', request({ headers }))).toBe(false);
  });

  it('never asks a damaged record that it does not need', () => {
    const damaged = { ...request(), value: Buffer.alloc(0), start: 0 };
    expect(holds('staleness = 20 or parts = 3', damaged)).toBe(true);
    expect(() => holds('parts = 3', damaged)).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_TRUNCATED' }));
    expect(() => holds('score > 0', request({}, { score: NaN }))).toThrow(expect.objectContaining({ code: 'SLUICE_NUMBER_NOT_FINITE' }));
  });
});

describe('rules', () => {
  it('apply in the order of the flow file', () => {
    expect(rulesOf('parts = 4', 'parts = 3', 'vip').first(request(), request())).toEqual({
      name: 'rule-1',
      tier: 'heavy',
      because: 'reason 1',
    });
    expect(rulesOf('parts = 4').first(request(), request())).toBeUndefined();
  });

  it('forget the record before', () => {
    const rules = rulesOf('parts = 3');
    expect(
      [rules.first(request(), request()), rules.first(request({}, { parts: 4 }), request()), rules.first(request(), request())].map(
        (hit) => hit?.name,
      ),
    ).toEqual(['rule-0', undefined, 'rule-0']);
  });

  it('see a field that only one of two schemas has as missing in the other', () => {
    const older = { type: 'record', name: 'Mail', fields: [{ name: 'subject', type: 'string' }] };
    const flow = sampleFlow(undefined, { rules: [{ name: 'many', when: 'parts >= 3', tier: 'heavy', because: 'x' }] });
    const rules = compileRules(flow, [schema, older]);
    const value = avro.Type.forSchema(older as never).toBuffer({ subject: 'hi' });
    expect(rules.first({ ...request(), value, schema: 1, start: 0 }, request())).toBeUndefined();
    expect(rules.first(request(), request())?.name).toBe('many');
  });
});

describe('a fault in a condition names rule, line, column and a hint', () => {
  it.each([
    ['parts == 3', 'line 1, column 8', 'equality is written with one ='],
    ['parts = 3 &&\n vip', 'line 1, column 11', 'write and'],
    ['parts = 3 and\n  kind = "LIST"', 'line 2, column 10', 'single quotes'],
    ["kind = 'LIST", 'line 1, column 8', 'no closing quote'],
    ['kind = LIST', 'line 1, column 8', 'a string stands in single quotes'],
    ['prats = 3', 'line 1, column 1', 'did you mean parts?'],
    ["parts = '3'", 'line 1, column 9', 'cannot be compared'],
    ["subject < 'a'", 'line 1, column 1', 'compares numbers'],
    ['parts', 'line 1, column 1', 'alone is no condition'],
    ["parts contains '3'", 'line 1, column 1', 'is not text'],
    ["tags = 'x'", 'line 1, column 1', 'is not a number, a string, an enum or a boolean'],
    ['(vip', 'line 1, column 5', 'expected ")"'],
    ['parts in ()', 'line 1, column 11', 'expected a field, a number or a string'],
    ['parts in (vip)', 'line 1, column 11', 'lists numbers or strings'],
    ['vip vip', 'line 1, column 5', 'expected and, or, or the end'],
    ['parts = 1e999', 'line 1, column 9', 'no finite number'],
    [`${'('.repeat(100)}vip`, 'line 1, column 65', 'nests at most'],
    [' ', 'line 1, column 2', 'expected a field'],
  ])('%j', (condition, place, hint) => {
    const message = faultOf(condition);
    expect(message).toContain(`rules.0 (rule-0), ${place}`);
    expect(message).toContain(hint);
  });
});

const word = fc.stringMatching(/^[a-z]{1,6}$/).map((text) => `f_${text}`);
const name: fc.Arbitrary<Operand> = fc
  .oneof(
    word,
    fc.tuple(word, word).map(([a, b]) => `${a}.${b}`),
    word.map((text) => `header.x-${text}`),
  )
  .map((text) => ({ kind: 'name', name: text, at: 0 }));
const literal: fc.Arbitrary<Operand> = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    fc.string(),
    fc.boolean(),
  )
  .map((value) => ({ kind: 'literal', value, at: 0 }));
const operand = fc.oneof(name, literal);
const { tree } = fc.letrec<{ tree: Expression }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'tree' },
    fc.record({ kind: fc.constant('test' as const), operand }),
    fc.record({
      kind: fc.constant('compare' as const),
      operator: fc.constantFrom<Comparison | 'contains'>('=', '!=', '<', '<=', '>', '>=', 'contains'),
      left: operand,
      right: operand,
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant('in' as const),
      left: operand,
      options: fc.array(literal, { minLength: 1, maxLength: 3 }),
      at: fc.constant(0),
    }),
    fc.record({ kind: fc.constant('not' as const), operand: tie('tree') }),
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), left: tie('tree'), right: tie('tree') }),
  ),
}));

/** Forgets positions, and -0, which is printed as 0. */
const bare = (expression: Expression): unknown =>
  JSON.parse(JSON.stringify(expression, (key, value: unknown) => (key === 'at' ? undefined : value)));

describe('the language', () => {
  it('parses every printed condition back to the same tree', () => {
    fc.assert(
      fc.property(tree, (expression) => {
        const text = printExpression(expression);
        fc.pre(text.length <= 4096);
        expect(bare(parseCondition(text))).toEqual(bare(expression));
      }),
      { numRuns: 500 },
    );
  });

  it('answers garbage with nothing but its own error', () => {
    const piece = fc.constantFrom(
      '(',
      ')',
      ',',
      '=',
      '!=',
      '<',
      'and',
      'or',
      'not',
      'in',
      'contains',
      'parts',
      'vip',
      "'a'",
      "'",
      '3',
      '-',
      '!',
      '\n',
      'header.x',
      '.',
      '💥',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join(' ')),
        ),
        (text) => {
          try {
            rulesOf(`${text} `);
          } catch (error) {
            expect(error).toBeInstanceOf(SluiceError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
