import { encodeSingleObject } from '@sluice/contracts';
import avro from 'avsc';
import fc from 'fast-check';
import { biasColumn, compileSignature, type SignatureInput } from './signature.ts';
import { sampleFlow } from './testing/sample.ts';

const schema = {
  type: 'record',
  name: 'Mail',
  fields: [
    { name: 'length', type: ['null', 'double'] },
    { name: 'sender', type: ['null', 'string'] },
    { name: 'unread', type: 'string' },
  ],
} as const;
const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);

const flow = sampleFlow(undefined, {
  signature: [
    { field: 'length', kind: 'number', min: 0, max: 10 },
    { field: 'sender', kind: 'category', buckets: 8 },
  ],
});
const signature = compileSignature(flow, [schema]);

function input(fields: object = {}, more: Partial<SignatureInput> = {}): SignatureInput {
  const value = encodeSingleObject(type as never, { length: 5, sender: 'a.org', unread: 'x', ...fields });
  return { value, schema: 0, start: 10, now: 2_000, requestedAt: 1_000, deadlineAt: 16_000, ...more };
}

/** The row by column name, zeros left out. */
function named(one: SignatureInput): Record<string, number> {
  const { row } = signature.read(one);
  return Object.fromEntries(Array.from(row.indices, (column, at) => [signature.names[column]!, row.values[at]!]));
}

describe('the signature of a request', () => {
  it('has a name for every column, the bias first', () => {
    expect(signature.names).toHaveLength(signature.width);
    expect(signature.names[biasColumn]).toBe('bias');
    expect(new Set(signature.names).size).toBe(signature.width);
  });

  it('holds what is known beside the fields', () => {
    const row = named(input());
    expect(row).toMatchObject({
      bias: 1,
      staleness: expect.closeTo(Math.log(2) / Math.log(3601), 6),
      'time left': expect.closeTo(14_000 / 30_000, 6),
    });
    expect(row['size']).toBeCloseTo(Math.log1p(input().value.length) / Math.log1p(1e6), 6);
    expect(row).not.toHaveProperty('share of missing fields');
  });

  it('tells missing fields and values out of range', () => {
    expect(named(input({ sender: null }))).toMatchObject({ 'share of missing fields': 0.5 });
    const reading = signature.read(input({ length: 11 }));
    expect(reading).toMatchObject({ missing: 0, outOfRange: 1 });
    expect(named(input({ length: 11 }))).toMatchObject({ 'share of fields out of range': 0.5 });
  });

  it('hashes the tenant into one column', () => {
    const columns = Object.keys(named(input({}, { headers: { tenant: Buffer.from('acme') } }))).filter((name) => name.startsWith('tenant'));
    expect(columns).toHaveLength(1);
    expect(Object.keys(named(input())).filter((name) => name.startsWith('tenant'))).toHaveLength(0);
  });

  it('hashes each header of the context into columns of its own', () => {
    const flowWithContext = sampleFlow(undefined, {
      signature: flow.signature,
      request: { schemas: ['mail.avsc'], context: ['tenant', 'segment'] },
    });
    const other = compileSignature(flowWithContext, [schema]);
    const { row } = other.read(input({}, { headers: { tenant: 'acme', segment: Buffer.from('acme'), more: 'x' } }));
    const set = Array.from(row.indices, (column) => other.names[column]!.split(' #')[0]);
    expect(set.filter((name) => name === 'tenant' || name === 'segment')).toEqual(['tenant', 'segment']);
    expect(other.width).toBe(signature.width + 8);
  });

  it('never has a negative age, and says by how much a deadline has passed', () => {
    const late = signature.read(input({}, { now: 500, deadlineAt: 400 }));
    expect(late).toMatchObject({ staleness: 0, timeLeft: -100 });
    expect(named(input({}, { deadlineAt: 0 }))).not.toHaveProperty('time left');
  });

  it('allocates no row: the next reading takes the place of the one before', () => {
    const first = signature.read(input());
    expect(signature.read(input({ length: 6 }))).toBe(first);
  });

  it('carries nothing over from the event before', () => {
    const before = structuredClone(signature.read(input()));
    signature.read(input({ length: 9, sender: null }, { headers: { tenant: 'x' } }));
    expect(signature.read(input())).toEqual(before);
  });

  it('refuses damaged bytes and unknown schemas by their code', () => {
    const value = input().value;
    expect(() => signature.read(input({}, { value: value.subarray(0, 12) }))).toThrow(
      expect.objectContaining({ code: 'SLUICE_AVRO_TRUNCATED' }),
    );
    expect(() => signature.read(input({}, { schema: 3 }))).toThrow(expect.objectContaining({ code: 'SLUICE_SCHEMA_UNKNOWN' }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          signature.read(input({}, { value: Buffer.from(bytes), start: 0 }));
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^SLUICE_(AVRO_TRUNCATED|AVRO_INVALID|NUMBER_NOT_FINITE)$/);
        }
      }),
    );
  });

  it('must leave room for the columns of the answer', () => {
    const wide = sampleFlow(undefined, { signature: [{ field: 'sender', kind: 'category', buckets: 65_536 }] });
    expect(() => compileSignature(wide, [schema])).toThrow(expect.objectContaining({ code: 'SLUICE_FLOW_INVALID' }));
  });
});
