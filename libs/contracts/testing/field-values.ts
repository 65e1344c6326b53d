import { SluiceError } from '@sluice/domain';
import { findField } from '../src/field-path.ts';
import type { AvroObject, AvroSchema } from '../src/fingerprint.ts';
import { resolveSchema } from '../src/schema-node.ts';
import { branchName } from './arbitrary-schema.ts';

/** Every path through records and unions that can be read. */
export function readablePaths(schema: AvroSchema): string[] {
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
export function lookUp(schema: AvroSchema, value: unknown, path: readonly string[]): unknown {
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
