import avro from 'avsc';
import { varint } from '../testing/plain-encoder.ts';
import { compileProjection, slotKind } from './projection.ts';

const record = (fields: object[], more: object = {}) => ({ type: 'record', name: 'R', fields, ...more });
const encode = (schema: object, value: unknown): Buffer => avro.Type.forSchema(schema as never, { wrapUnions: 'always' }).toBuffer(value);

describe('compileProjection', () => {
  const schema = record([
    { name: 'id', type: 'long' },
    { name: 'user', type: ['null', { type: 'record', name: 'User', fields: [{ name: 'country', type: 'string' }] }] },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'level', type: { type: 'enum', name: 'Level', symbols: ['LOW', 'HIGH'] } },
    { name: 'mixed', type: ['int', 'string'] },
  ]);

  it('reads through an optional nested record, and says what the schema promises of each slot', () => {
    const projection = compileProjection(schema, ['user.country', 'level', 'mixed', 'id']);
    expect(projection.kinds).toEqual(['text', 'symbol', 'mixed', 'number']);
    const bytes = encode(schema, { id: -3, user: { User: { country: 'NZ' } }, tags: ['a', 'b'], level: 'HIGH', mixed: { int: 7 } });
    projection.read(bytes, 0, bytes.length);
    expect(bytes.toString('utf8', projection.starts[0]!, projection.ends[0]!)).toBe('NZ');
    expect([...projection.present]).toEqual([slotKind.bytes, slotKind.symbol, slotKind.number, slotKind.number]);
    expect([...projection.numbers]).toEqual([Number.NaN, 1, 7, -3]);
  });

  it('forgets the value before: a null after a text is missing', () => {
    const projection = compileProjection(schema, ['user.country']);
    const rest = { tags: [], level: 'LOW', mixed: { string: 'x' }, id: 1 };
    const full = encode(schema, { ...rest, user: { User: { country: 'NZ' } } });
    projection.read(full, 0, full.length);
    const empty = encode(schema, { ...rest, user: null });
    projection.read(empty, 0, empty.length);
    expect(projection.present[0]).toBe(slotKind.missing);
  });

  it('gives a path that is asked for twice one slot', () => {
    const projection = compileProjection(schema, ['id', 'level', 'id']);
    expect(projection.paths).toEqual(['id', 'level']);
    expect(() => projection.slot('mixed')).toThrow('mixed was not compiled');
  });

  it.each([
    [['nothing'], 'there is no field nothing: the record has id, user, tags, level, mixed'],
    [['user.city'], 'there is no field user.city: the record has country'],
    [['id.x'], 'there is no field id.x: x is looked for in a long'],
    [['user'], 'field user is a record'],
    [['tags'], 'field tags is a array'],
  ])('refuses the path %j with what is there instead', (paths, message) => {
    expect(() => compileProjection(schema, paths)).toThrow(
      expect.objectContaining({ code: 'SLUICE_SCHEMA_INVALID', message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ['a type that is not defined', record([{ name: 'a', type: 'Nowhere' }]), 'Nowhere is not defined'],
    ['a name defined twice', record([{ name: 'a', type: { type: 'fixed', name: 'R', size: 1 } }]), 'R is defined twice'],
    [
      'a field that occurs twice',
      record([
        { name: 'a', type: 'int' },
        { name: 'a', type: 'int' },
      ]),
      'the field a twice',
    ],
    ['a record that contains itself', record([{ name: 'a', type: 'R' }]), 'contains itself'],
    ['an enum without symbols', { type: 'enum', name: 'E', symbols: [] }, 'no symbols'],
    ['a union in a union', record([{ name: 'a', type: ['null', ['int']] }]), 'directly inside a union'],
    ['no schema at all', 7, 'is no Avro type'],
  ])('refuses %s', (_, broken, message) => {
    expect(() => compileProjection(broken, [])).toThrow(
      expect.objectContaining({ code: 'SLUICE_SCHEMA_INVALID', message: expect.stringContaining(message) }),
    );
  });

  it('resolves names against the namespace they stand in', () => {
    const inner = { type: 'record', name: 'Inner', namespace: 'b', fields: [{ name: 'x', type: 'int' }] };
    const outer = record(
      [
        { name: 'i', type: inner },
        { name: 'j', type: 'b.Inner' },
      ],
      { namespace: 'a' },
    );
    const projection = compileProjection(outer, ['j.x']);
    projection.read(Buffer.of(2, 8), 0, 2);
    expect(projection.numbers[0]).toBe(4);
  });
});

describe('lists and recursion', () => {
  const ints = record([
    { name: 'a', type: { type: 'array', items: 'int' } },
    { name: 'after', type: 'int' },
  ]);
  const nothing = record([
    { name: 'a', type: { type: 'array', items: 'null' } },
    { name: 'after', type: 'int' },
  ]);
  const read = (schema: object, ...parts: Buffer[]) => {
    const bytes = Buffer.concat(parts);
    const projection = compileProjection(schema, ['after']);
    projection.read(bytes, 0, bytes.length);
    return projection.numbers[0];
  };

  it('steps over a block by its size', () => {
    expect(read(ints, varint(-2n), varint(2n), Buffer.of(2, 4), varint(1n), Buffer.of(6), varint(0n), varint(9n))).toBe(9);
  });

  it('refuses a count that the bytes cannot hold at once, not after a walk', () => {
    for (const count of [1n << 40n, (1n << 62n) + 1n, -(1n << 62n)]) {
      expect(() => read(ints, varint(count), varint(3n), Buffer.alloc(100))).toThrow(
        expect.objectContaining({ code: 'SLUICE_AVRO_TRUNCATED' }),
      );
    }
  });

  it('does not walk items that take no bytes', () => {
    expect(read(nothing, varint(1n << 52n), varint(0n), varint(5n))).toBe(5);
  });

  it('reads below a recursive type as deep as the path, and skips the rest', () => {
    const tree = record([
      { name: 'v', type: 'int' },
      { name: 'kids', type: { type: 'array', items: 'R' } },
      { name: 'next', type: ['null', 'R'] },
    ]);
    const leaf = { v: 3, kids: [], next: null };
    const bytes = encode(tree, { v: 1, kids: [leaf, leaf], next: { R: { v: 2, kids: [leaf], next: { R: leaf } } } });
    const projection = compileProjection(tree, ['next.v', 'next.next.v', 'next.next.next.v']);
    projection.read(bytes, 0, bytes.length);
    expect([...projection.numbers]).toEqual([2, 3, Number.NaN]);
    expect([...projection.present]).toEqual([slotKind.number, slotKind.number, slotKind.missing]);
  });

  it('refuses nesting that would exhaust the stack', () => {
    const chain = record([{ name: 'next', type: ['null', 'R'] }]);
    const projection = compileProjection(chain, []);
    const deep = Buffer.concat([Buffer.alloc(100_000, 2), Buffer.of(0)]);
    expect(() => projection.read(deep, 0, deep.length)).toThrow(
      expect.objectContaining({ code: 'SLUICE_AVRO_INVALID', message: expect.stringContaining('deeper than 64') }),
    );
    projection.read(deep, deep.length - 60, deep.length);
  });
});
