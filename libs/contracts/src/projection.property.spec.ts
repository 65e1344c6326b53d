import { SluiceError } from '@sluice/domain';
import avro from 'avsc';
import fc from 'fast-check';
import { type Sample, samples } from '../testing/arbitrary-schema.ts';
import { lookUp, readablePaths } from '../testing/field-values.ts';
import { encodePlain } from '../testing/plain-encoder.ts';
import type { AvroSchema } from './fingerprint.ts';
import { compileProjection, type Projection, slotKind } from './projection.ts';

const runs = { numRuns: 400 };
const encodeAvsc = ({ schema, value }: Sample): Buffer => avro.Type.forSchema(schema as never, { wrapUnions: 'always' }).toBuffer(value);

function slotValue(projection: Projection, slot: number, bytes: Buffer): unknown {
  if (projection.present[slot] === slotKind.missing) return undefined;
  if (projection.present[slot] === slotKind.bytes) return bytes.toString('hex', projection.starts[slot]!, projection.ends[slot]!);
  const value = projection.numbers[slot]!;
  return projection.present[slot] === slotKind.symbol ? Buffer.from(`S${value}`).toString('hex') : value;
}

function comparable(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return Buffer.isBuffer(value) ? value.toString('hex') : value;
}

function expectFound(sample: Sample, bytes: Buffer): void {
  const paths = readablePaths(sample.schema);
  const projection = compileProjection(sample.schema, paths);
  projection.read(bytes, 0, bytes.length);
  const found = paths.map((path) => [path, slotValue(projection, projection.slot(path), bytes)]);
  const expected = paths.map((path) => [path, comparable(lookUp(sample.schema, sample.value, path.split('.')))]);
  expect(found).toEqual(expected);
}

describe('a projection of a random schema', () => {
  it('finds what avsc wrote', () => {
    fc.assert(
      fc.property(samples, (sample) => expectFound(sample, encodeAvsc(sample))),
      runs,
    );
  });

  it('finds it in lists of many blocks, with sizes and without', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), (sample, sized) => expectFound(sample, encodePlain(sample.schema, sample.value, sized))),
      runs,
    );
  });

  it('refuses every truncation and every rest, whatever stands behind the value', () => {
    fc.assert(
      fc.property(samples, fc.nat(), (sample, cut) => {
        const bytes = encodeAvsc(sample);
        const projection = compileProjection(sample.schema, readablePaths(sample.schema));
        if (bytes.length > 0) expect(() => projection.read(bytes, 0, cut % bytes.length)).toThrow(SluiceError);
        const longer = Buffer.concat([bytes, bytes, Buffer.of(0)]);
        expect(() => projection.read(longer, 0, bytes.length + 1)).toThrow(SluiceError);
      }),
      runs,
    );
  });

  it('answers damaged bytes with an error of the table or with slots inside the value', () => {
    const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(samples, damages, (sample, damage) => {
        const bytes = encodeAvsc(sample);
        for (const [at, byte] of damage) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        expectSafe(sample.schema, bytes);
      }),
      runs,
    );
  });

  it('answers noise with an error of the table or with slots inside the value', () => {
    fc.assert(
      fc.property(samples, fc.uint8Array({ maxLength: 60 }), ({ schema }, noise) => expectSafe(schema, Buffer.from(noise))),
      runs,
    );
  });
});

function expectSafe(schema: AvroSchema, bytes: Buffer): void {
  const projection = compileProjection(schema, readablePaths(schema));
  try {
    projection.read(bytes, 0, bytes.length);
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError);
    expect(['SLUICE_AVRO_TRUNCATED', 'SLUICE_AVRO_INVALID']).toContain((error as SluiceError).code);
    return;
  }
  projection.ends.forEach((end, slot) => {
    if (projection.present[slot] !== slotKind.bytes) return;
    expect(projection.starts[slot]!).toBeGreaterThanOrEqual(0);
    expect(projection.starts[slot]!).toBeLessThanOrEqual(end);
    expect(end).toBeLessThanOrEqual(bytes.length);
  });
}
