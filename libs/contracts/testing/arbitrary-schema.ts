import fc from 'fast-check';
import type { AvroObject, AvroSchema } from '../src/fingerprint.ts';

/** A schema and a value of it; unions are wrapped as `{ [branch]: value }`, as avsc does with `wrapUnions: 'always'`. */
export interface Sample {
  readonly schema: AvroSchema;
  readonly value: unknown;
}

const scalarKinds = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string', 'enum', 'fixed'] as const;
type Kind = (typeof scalarKinds)[number] | 'array' | 'map' | 'record' | 'union';

interface Shape {
  readonly kind: Kind;
  readonly size: number;
  readonly children: readonly Shape[];
}

const shapes = fc.letrec<{ scalar: Shape; any: Shape }>((tie) => ({
  scalar: fc.record({ kind: fc.constantFrom<Kind[]>(...scalarKinds), size: fc.integer({ min: 0, max: 5 }), children: fc.constant([]) }),
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('scalar'),
    fc.record({
      kind: fc.constantFrom<Kind[]>('array', 'map', 'record', 'record', 'union', 'union'),
      size: fc.constant(0),
      children: fc.array(tie('any'), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));

/** Random records of up to six fields, nested up to three levels, with a random value each. */
export const samples: fc.Arbitrary<Sample> = fc
  .array(shapes.any, { minLength: 1, maxLength: 6 })
  .map((children) => schemaOf({ kind: 'record', size: 0, children }, { next: 0 }))
  .chain((schema) => valueOf(schema).map((value) => ({ schema, value })));

function schemaOf(shape: Shape, names: { next: number }): AvroSchema {
  const children = () => shape.children.map((child) => schemaOf(child, names));
  const name = () => `T${names.next++}`;
  switch (shape.kind) {
    case 'enum':
      return { type: 'enum', name: name(), symbols: Array.from({ length: shape.size + 1 }, (_, i) => `S${i}`) };
    case 'fixed':
      return { type: 'fixed', name: name(), size: shape.size + 1 };
    case 'array':
      return { type: 'array', items: children()[0]! };
    case 'map':
      return { type: 'map', values: children()[0]! };
    case 'record':
      return { type: 'record', name: name(), fields: children().map((type, i) => ({ name: `f${i}`, type })) };
    case 'union':
      return unionOf(['null', ...children()]);
    default:
      return logicalOf(shape.kind, shape.size);
  }
}

/** Annotations that change nothing about the bytes; half of the numbers and bytes carry one. */
const logicalTypes: Partial<Record<Kind, readonly string[]>> = {
  int: ['date', 'time-millis'],
  long: ['timestamp-millis', 'timestamp-micros', 'local-timestamp-millis'],
  bytes: ['decimal'],
  string: ['uuid'],
};

function logicalOf(kind: Kind, choice: number): AvroSchema {
  const logicalType = logicalTypes[kind]?.[choice];
  return logicalType === undefined ? kind : { type: kind, logicalType, precision: 9, scale: 2 };
}

/** A union may hold each unnamed type once, and no union. */
function unionOf(branches: readonly AvroSchema[]): AvroSchema {
  const seen = new Set<string>();
  return branches.filter((branch) => !Array.isArray(branch) && !seen.has(branchName(branch)) && seen.add(branchName(branch)));
}

export function branchName(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema;
  const object = schema as AvroObject;
  return object.name ?? (object.type as string);
}

function valueOf(schema: AvroSchema): fc.Arbitrary<unknown> {
  if (Array.isArray(schema))
    return fc.oneof(...(schema as AvroSchema[]).map((branch) => valueOf(branch).map((value) => wrap(branch, value))));
  if (typeof schema !== 'string') return complexValue(schema as AvroObject);
  switch (schema) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.integer();
    case 'long':
      // avsc 5.7.9 loses the sign of longs below -2^52 when it writes them; cursor.spec.ts covers all 64 bits without it.
      return fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
    case 'float':
      return fc.float();
    case 'double':
      return fc.double();
    case 'bytes':
      return fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes));
    default:
      return fc.string({ unit: 'binary', maxLength: 9 });
  }
}

const wrap = (branch: AvroSchema, value: unknown): unknown => (branch === 'null' ? null : { [branchName(branch)]: value });

function complexValue(schema: AvroObject): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'enum':
      return fc.constantFrom(...(schema['symbols'] as string[]));
    case 'fixed': {
      const size = schema['size'] as number;
      return fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes));
    }
    case 'array':
      return fc.array(valueOf(schema['items'] as AvroSchema), { maxLength: 4 });
    case 'map':
      return fc.dictionary(
        fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'),
        valueOf(schema['values'] as AvroSchema),
        { maxKeys: 3 },
      );
    case 'record':
      return fc.record(Object.fromEntries((schema['fields'] as AvroObject[]).map((field) => [field.name!, valueOf(field.type)])));
    default:
      return valueOf(schema.type);
  }
}
