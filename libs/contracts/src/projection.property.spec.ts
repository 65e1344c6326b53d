import { SluiceError } from '@sluice/domain';
import avro from 'avsc';
import fc from 'fast-check';
import { branchName, type Sample, samples } from '../testing/arbitrary-schema.ts';
import { encodePlain } from '../testing/plain-encoder.ts';
import { findField } from './field-path.ts';
import type { AvroObject, AvroSchema } from './fingerprint.ts';
import { compileProjection, type Projection, slotKind } from './projection.ts';
import { resolveSchema } from './schema-node.ts';

const runs = { numRuns: 400 };
const encodeAvsc = ({ schema, value }: Sample): Buffer => avro.Type.forSchema(schema as never, { wrapUnions: 'always' }).toBuffer(value);

/** Every path through records and unions that can be read. */
function readablePaths(schema: AvroSchema): string[] {
  const root = resolveSchema(schema);
  return [...new Set(pathsOf(schema))].filter((path) => {
    try {
      findField(root, path);
      return true;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'SLUICE_SCHEMA_INVALID') throw error;
      return false;
    }
  });
}

function pathsOf(schema: AvroSchema): string[] {
  if (Array.isArray(schema)) return (schema as AvroSchema[]).flatMap(pathsOf);
  if (typeof schema === 'string' || (schema as AvroObject).type !== 'record') return [''];
  const fields = (schema as AvroObject)['fields'] as AvroObject[];
  return fields.flatMap((field) => pathsOf(field.type).map((rest) => (rest === '' ? field.name! : `${field.name}.${rest}`)));
}

/** What stands at the path in the value: the oracle that the slots are held against. */
function lookUp(schema: AvroSchema, value: unknown, path: readonly string[]): unknown {
  if (value === null) return undefined;
  if (Array.isArray(schema)) {
    const name = Object.keys(value as object)[0]!;
    const branch = (schema as AvroSchema[]).find((other) => branchName(other) === name)!;
    return lookUp(branch, (value as Record<string, unknown>)[name], path);
  }
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (typeof schema === 'string' || (schema as AvroObject).type !== 'record') return undefined;
  const field = ((schema as AvroObject)['fields'] as AvroObject[]).find((other) => other.name === name);
  return field === undefined ? undefined : lookUp(field.type, (value as Record<string, unknown>)[name], rest);
}

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
