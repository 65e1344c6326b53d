import { featureSpec, SluiceError, type FeatureSpec } from '@sluice/domain';
import avro from 'avsc';
import fc from 'fast-check';
import { samples, type Sample } from '../testing/arbitrary-schema.ts';
import { lookUp, readablePaths } from '../testing/field-values.ts';
import { plainColumns, type Found } from '../testing/plain-features.ts';
import { compileExtractor, type Extractor } from './extractor.ts';
import { findField } from './field-path.ts';
import { resolveSchema, type SchemaNode } from './schema-node.ts';

const runs = { numRuns: 400 };

/** A feature without its field. */
const shapes = fc.oneof(
  fc.record({
    kind: fc.constant('number'),
    scale: fc.constantFrom('none', 'range', 'log'),
    min: fc.integer({ min: -100, max: 0 }),
    max: fc.integer({ min: 1, max: 1e6 }),
  }),
  fc.record({ kind: fc.constant('category'), buckets: fc.integer({ min: 2, max: 40 }), seed: fc.nat(9), signed: fc.boolean() }),
  fc.record({
    kind: fc.constant('text'),
    buckets: fc.integer({ min: 2, max: 40 }),
    seed: fc.nat(9),
    ngrams: fc.constantFrom(1, 2),
    maxBytes: fc.constantFrom(16, 1024),
  }),
  fc.record({ kind: fc.constant('time'), parts: fc.constantFrom(['hour'], ['weekday', 'hour']) }),
  fc.record({ kind: fc.constant('bytes'), length: fc.constantFrom(2, 4), pool: fc.constantFrom(1, 2) }),
);

interface Case {
  readonly sample: Sample;
  readonly features: readonly FeatureSpec[];
}

/** Features of every kind on fields of every kind, whether or not one can be read as the other. */
const cases: fc.Arbitrary<Case> = samples.chain((sample): fc.Arbitrary<Case> => {
  const paths = readablePaths(sample.schema);
  if (paths.length === 0) return fc.constant({ sample, features: [] });
  const feature = fc.tuple(fc.constantFrom(...paths), shapes).map(([field, shape]) => featureSpec.parse({ ...shape, field }));
  return fc.array(feature, { maxLength: 5 }).map((features) => ({ sample, features }));
});

const accepted: Readonly<Record<FeatureSpec['kind'], readonly string[]>> = {
  number: ['boolean', 'int', 'long', 'float', 'double'],
  time: ['boolean', 'int', 'long', 'float', 'double'],
  category: ['boolean', 'int', 'long', 'float', 'double', 'string', 'bytes', 'fixed', 'enum'],
  text: ['string', 'bytes', 'fixed'],
  bytes: ['bytes', 'fixed'],
  image: ['bytes', 'fixed'],
};

const days: Readonly<Record<string, number>> = { date: 1, 'timestamp-micros': 86_400_000_000 };

function unitsOf(nodes: readonly SchemaNode[]): number[] {
  return [...new Set(nodes.map((node) => days[('logicalType' in node && node.logicalType) || ''] ?? 86_400_000))];
}

/** Whether the schema gives only values that the feature reads; a mixture of texts and bytes does not tell which it is. */
function canRead(nodes: readonly SchemaNode[], feature: FeatureSpec): boolean {
  if (!nodes.every(({ kind }) => accepted[feature.kind].includes(kind))) return false;
  if (feature.kind === 'text') return new Set(nodes.map(({ kind }) => kind === 'string')).size === 1;
  return feature.kind !== 'time' || unitsOf(nodes).length === 1;
}

const encodeAvsc = ({ schema, value }: Sample): Buffer => avro.Type.forSchema(schema as never, { wrapUnions: 'always' }).toBuffer(value);

/** The extractor, or undefined where the schema was refused and the oracle refuses it too. */
function compiled({ sample, features }: Case): Extractor | undefined {
  const root = resolveSchema(sample.schema);
  const readable = features.every((feature) => canRead(findField(root, feature.field).nodes, feature));
  try {
    const extractor = compileExtractor(sample.schema, features, { flags: true });
    expect(readable).toBe(true);
    return extractor;
  } catch (error) {
    expect(error).toMatchObject({ code: 'SLUICE_SCHEMA_INVALID' });
    expect(readable).toBe(false);
    return undefined;
  }
}

function expectedRow({ sample, features }: Case, bytes: Buffer): number[] | undefined {
  const type = avro.Type.forSchema(sample.schema as never, { wrapUnions: 'always' });
  const value: unknown = type.fromBuffer(bytes);
  const root = resolveSchema(sample.schema);
  const columns = features.map((feature) => {
    const found = lookUp(sample.schema, value, feature.field.split('.')) as Found;
    return plainColumns(feature, found, { perDay: unitsOf(findField(root, feature.field).nodes)[0]!, flags: true });
  });
  return columns.includes(undefined) ? undefined : columns.flatMap((column) => column!);
}

describe('an extractor of a random schema', () => {
  it('gives the row that avsc and a plain reading of the features give, or refuses at compile time what cannot be read', () => {
    let rows = 0;
    let refusedSchemas = 0;
    fc.assert(
      fc.property(cases, (one) => {
        const extractor = compiled(one);
        if (extractor === undefined) return void refusedSchemas++;
        const bytes = encodeAvsc(one.sample);
        const expected = expectedRow(one, bytes);
        const row = new Float32Array(extractor.width).fill(NaN);
        if (expected === undefined) return void expect(() => extractor.extract(bytes, 0, row, 0)).toThrow(SluiceError);
        extractor.extract(bytes, 0, row, 0);
        expected.forEach((value, column) => expect(row[column]).toBeCloseTo(value, 5));
        rows += row.length > 0 ? 1 : 0;
      }),
      runs,
    );
    // Both sides must have been tried often, else the property says little.
    expect(rows).toBeGreaterThan(20);
    expect(refusedSchemas).toBeGreaterThan(20);
  });

  it('answers truncated and flipped bits with a coded error or a finite row, and the bytes around the value never matter', () => {
    const codes = ['SLUICE_AVRO_TRUNCATED', 'SLUICE_AVRO_INVALID', 'SLUICE_NUMBER_NOT_FINITE', 'SLUICE_IMAGE_INVALID'];
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 3 });
    fc.assert(
      fc.property(cases, flips, fc.nat(), fc.boolean(), (one, bits, cut, cuts) => {
        const extractor = compiled(one);
        if (extractor === undefined) return;
        const whole = encodeAvsc(one.sample);
        for (const [at, bit] of bits) if (whole.length > 0) whole[at % whole.length]! ^= 1 << bit;
        const bytes = cuts ? whole.subarray(0, cut % (whole.length + 1)) : whole;
        const outcomes = [0x00, 0xff, 0x80].map((around) => {
          const slab = Buffer.concat([Buffer.alloc(9, around), bytes, Buffer.alloc(9, around)]);
          const row = new Float32Array(extractor.width);
          try {
            extractor.extract(slab.subarray(9, 9 + bytes.length), 0, row, 0);
            expect(row.every(Number.isFinite)).toBe(true);
            return [...row];
          } catch (error) {
            expect(error).toBeInstanceOf(SluiceError);
            expect(codes).toContain((error as SluiceError).code);
            return (error as SluiceError).code;
          }
        });
        expect(outcomes[1]).toEqual(outcomes[0]);
        expect(outcomes[2]).toEqual(outcomes[0]);
      }),
      runs,
    );
  });
});
