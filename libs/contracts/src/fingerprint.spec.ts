import avro from 'avsc';
import fc from 'fast-check';
import { samples } from '../testing/arbitrary-schema.ts';
import { canonicalForm, fingerprint } from './fingerprint.ts';

describe('the fingerprint', () => {
  // Signed 64-bit values of Avro's own test data (share/test/data/schema-tests.txt).
  it.each([
    ['null', 7195948357588979594n],
    ['boolean', -6970731678124411036n],
    ['int', 8247732601305521295n],
    ['long', -3434872931120570953n],
    ['float', 5583340709985441680n],
    ['double', -8181574048448539266n],
    ['bytes', 5746618253357095269n],
    ['string', -8142146995180207161n],
  ])('of "%s" is the one Avro publishes', (schema, expected) => {
    expect(BigInt.asIntN(64, fingerprint(schema))).toBe(expected);
    expect(BigInt.asIntN(64, fingerprint({ type: schema }))).toBe(expected);
  });

  it('does not depend on what readers of the data ignore', () => {
    const plain = { type: 'record', name: 'a.R', fields: [{ name: 'x', type: 'long' }] };
    const adorned = {
      doc: 'd',
      name: 'R',
      namespace: 'a',
      aliases: ['Q'],
      fields: [{ default: 0, type: { logicalType: 'timestamp-millis', type: 'long' }, doc: 'd', name: 'x', order: 'ignore' }],
      type: 'record',
    };
    expect(fingerprint(adorned)).toBe(fingerprint(plain));
    expect(fingerprint({ ...plain, name: 'b.R' })).not.toBe(fingerprint(plain));
  });
});

describe('the parsing canonical form', () => {
  // Cases of the same test data: namespaces, order of attributes, escapes left out.
  it.each([
    [{ fields: [], type: 'record', name: 'foo', namespace: 'x.y' }, '{"name":"x.y.foo","type":"record","fields":[]}'],
    [{ fields: [], type: 'record', name: 'a.b.foo', namespace: 'x.y' }, '{"name":"a.b.foo","type":"record","fields":[]}'],
    [{ type: 'fixed', size: 15, name: 'foo', namespace: 'x.y' }, '{"name":"x.y.foo","type":"fixed","size":15}'],
    [{ type: 'enum', name: 'foo', symbols: ['A1', 'B'], doc: 'd' }, '{"name":"foo","type":"enum","symbols":["A1","B"]}'],
    [{ items: { type: 'null' }, type: 'array' }, '{"type":"array","items":"null"}'],
    [{ type: 'map', values: 'string' }, '{"type":"map","values":"string"}'],
    [['null', { type: 'int' }, 'long'], '["null","int","long"]'],
    [
      {
        type: 'record',
        name: 'R',
        namespace: 'x',
        fields: [
          { name: 'a', type: { type: 'fixed', name: 'F', size: 1 } },
          { name: 'b', type: 'F' },
          { name: 'c', type: ['null', 'R'] },
        ],
      },
      '{"name":"x.R","type":"record","fields":[{"name":"a","type":{"name":"x.F","type":"fixed","size":1}},{"name":"b","type":"x.F"},{"name":"c","type":["null","x.R"]}]}',
    ],
  ])('of %j', (schema, expected) => {
    expect(canonicalForm(schema)).toBe(expected);
  });

  it('is the one avsc writes, for any schema', () => {
    fc.assert(
      fc.property(samples, ({ schema }) => {
        expect(canonicalForm(schema)).toBe(JSON.stringify(avro.Type.forSchema(schema as never).schema()));
      }),
    );
  });
});
