import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codecs } from './codecs.ts';
import { checkCompatible } from './compatibility.ts';
import { canonicalForm } from './fingerprint.ts';

const folder = join(__dirname, 'golden');
const goldenOf = (name: string): [version: string, schema: object][] =>
  readdirSync(folder)
    .map((file) => [file, new RegExp(`^${name}\\.v(\\d+)\\.avsc\\.json$`).exec(file)?.[1]] as const)
    .filter((entry): entry is readonly [string, string] => entry[1] !== undefined)
    .sort((a, b) => Number(a[1]) - Number(b[1]))
    .map(([file, version]) => [`${name}.v${version}`, JSON.parse(readFileSync(join(folder, file), 'utf8')) as object]);

describe.each(Object.keys(codecs) as (keyof typeof codecs)[])('the golden files of %s', (name) => {
  const golden = goldenOf(name);
  const codec = codecs[name];

  it('end with the schema in use; after a change of the schema add the next version beside them', () => {
    expect(golden.map(([version]) => version)).toEqual(golden.map((_, i) => `${name}.v${i + 1}`));
    expect(golden.at(-1)![1]).toEqual(JSON.parse(JSON.stringify(codec.schema)));
  });

  it('are all still read: every version but the last stands in `earlier` of the codec', () => {
    expect(codec.earlier.map(canonicalForm)).toEqual(golden.slice(0, -1).map(([, schema]) => canonicalForm(schema)));
  });

  it('read each other, in both directions', () => {
    for (const [, reader] of golden) checkCompatible(reader, Object.fromEntries(golden));
  });
});

const record = (...fields: object[]) => ({ type: 'record', name: 'R', fields });
const x = { name: 'x', type: 'int' };

describe('an incompatible change is refused with the field named', () => {
  it.each([
    [
      'a field added without a default',
      record(x, { name: 'y', type: 'int' }),
      record(x),
      'field y: the field was not written and has no default',
    ],
    ['a changed type', record({ name: 'x', type: 'string' }), record(x), 'field x: int was written, string is expected'],
    ['a number made narrower', record(x), record({ name: 'x', type: 'long' }), 'field x: long was written, int is expected'],
    [
      'an optional field made mandatory',
      record(x),
      record({ name: 'x', type: ['null', 'int'] }),
      'field x: null was written, int is expected',
    ],
    [
      'a branch removed',
      record({ name: 'x', type: ['null', 'int'] }),
      record({ name: 'x', type: ['null', 'string'] }),
      "field x: the reader's union has no branch for string",
    ],
    [
      'a symbol removed',
      record({ name: 'x', type: { type: 'enum', name: 'E', symbols: ['A'] } }),
      record({ name: 'x', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } }),
      "field x: the reader's enum lacks B",
    ],
    [
      'a fixed of another size',
      record({ name: 'x', type: { type: 'fixed', name: 'F', size: 4 } }),
      record({ name: 'x', type: { type: 'fixed', name: 'F', size: 8 } }),
      'field x: fixed F of 8 was written, fixed F of 4 is expected',
    ],
    [
      'a fault deep inside',
      record({ name: 'x', type: { type: 'array', items: { type: 'record', name: 'I', fields: [x] } } }),
      record({ name: 'x', type: { type: 'array', items: { type: 'record', name: 'I', fields: [{ name: 'x', type: 'boolean' }] } } }),
      'field x[].x: boolean was written, int is expected',
    ],
    ['a renamed record', { ...record(x), name: 'S' }, record(x), '(root): record R was written, S is expected'],
  ])('%s', (_, reader, writer, message) => {
    const expected = { code: 'SLUICE_SCHEMA_INCOMPATIBLE', message: expect.stringContaining(`data of v1: ${message}`) };
    expect(() => checkCompatible(reader, { v1: writer, v2: reader })).toThrow(expect.objectContaining(expected));
  });

  it('also where the same types were already tried as a branch of a union', () => {
    const inner = (namespace: string, ...fields: object[]) => ({ type: 'record', name: 'I', namespace, fields });
    const wide = inner('a', x, { name: 'y', type: 'int' });
    const reader = record({ name: 'u', type: [wide, inner('b', x)] }, { name: 'v', type: 'a.I' });
    const writer = record({ name: 'u', type: inner('w', x) }, { name: 'v', type: 'w.I' });
    expect(() => checkCompatible(reader, { v1: writer })).toThrow('data of v1: field v.y: the field was not written');
  });

  it('lists every fault, not only the first', () => {
    const message = /data of v1: field y.*\n.*data of v1: field z.*\n.*data of v2: field z/s;
    const added = ['y', 'z'].map((name) => ({ name, type: 'int' }));
    expect(() => checkCompatible(record(x, ...added), { v1: record(x), v2: record(x, added[0]!) })).toThrow(message);
  });
});

describe('a compatible change is let through', () => {
  it.each([
    ['a field added with a default', record(x, { name: 'y', type: 'int', default: 0 }), record(x)],
    ['a field removed', record(x), record(x, { name: 'y', type: 'int' })],
    ['a number made wider', record({ name: 'x', type: 'double' }), record(x)],
    ['a field made optional', record({ name: 'x', type: ['null', 'int'] }), record(x)],
    ['a field renamed under an alias', record({ name: 'z', type: 'int', aliases: ['x'] }), record(x)],
    ['a recursive type', record(x, { name: 'n', type: ['null', 'R'] }), record(x, { name: 'n', type: ['null', 'R'] })],
  ])('%s', (_, reader, writer) => {
    expect(() => checkCompatible(reader, { v1: writer })).not.toThrow();
  });
});
