/** A schema as parsed from an `.avsc` file: the name of a type, an object, or a union. */
export type AvroSchema = string | AvroObject | readonly AvroSchema[];
export interface AvroObject {
  readonly type: AvroSchema;
  readonly name?: string;
  readonly namespace?: string;
  readonly [attribute: string]: unknown;
}

export const primitives: ReadonlySet<string> = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

/**
 * Parsing canonical form (Avro specification 1.11, "Transforming into Parsing Canonical Form"): two schemas with the same
 * form read the same data. Documentation, aliases, defaults and logical types are not part of it.
 */
export function canonicalForm(schema: unknown): string {
  return canonical(schema as AvroSchema, '');
}

function canonical(schema: AvroSchema, namespace: string): string {
  if (typeof schema === 'string') return JSON.stringify(primitives.has(schema) ? schema : fullName(schema, namespace));
  if (Array.isArray(schema)) return `[${schema.map((branch) => canonical(branch, namespace)).join(',')}]`;
  const object = schema as AvroObject;
  switch (object.type) {
    case 'record':
    case 'error':
    case 'enum':
    case 'fixed':
      return canonicalNamed(object, namespace);
    case 'array':
      return `{"type":"array","items":${canonical(object['items'] as AvroSchema, namespace)}}`;
    case 'map':
      return `{"type":"map","values":${canonical(object['values'] as AvroSchema, namespace)}}`;
    default:
      return canonical(object.type, namespace);
  }
}

function canonicalNamed(schema: AvroObject, namespace: string): string {
  const name = definedName(schema, namespace);
  const head = `{"name":${JSON.stringify(name)},"type":${JSON.stringify(schema.type)}`;
  if (schema.type === 'enum') return `${head},"symbols":${JSON.stringify(schema['symbols'])}}`;
  if (schema.type === 'fixed') return `${head},"size":${Number(schema['size'])}}`;
  const inner = namespaceOf(name);
  const fields = (schema['fields'] as readonly AvroObject[]).map(
    (field) => `{"name":${JSON.stringify(field.name)},"type":${canonical(field.type, inner)}}`,
  );
  return `${head},"fields":[${fields.join(',')}]}`;
}

/** Full name of a named type where it is defined. */
export function definedName(schema: AvroObject, enclosing: string): string {
  return fullName(String(schema.name), schema.namespace ?? enclosing);
}

/** Full name of a reference; a name with a dot is full already. */
export function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

export function namespaceOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

const empty = 0xc15d213aa4d7a795n;
const table = Array.from({ length: 256 }, (_, byte) => {
  let entry = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) entry = (entry >> 1n) ^ (entry & 1n ? empty : 0n);
  return entry;
});

/**
 * CRC-64-AVRO (Rabin) of the parsing canonical form, as an unsigned 64-bit number (Avro specification, "Schema
 * Fingerprints"). For start-up only: it works on BigInt.
 */
export function fingerprint(schema: unknown): bigint {
  let crc = empty;
  for (const byte of Buffer.from(canonicalForm(schema), 'utf8')) crc = (crc >> 8n) ^ table[Number((crc ^ BigInt(byte)) & 0xffn)]!;
  return crc;
}

/** The same as 16 hex digits, as manifests state it. */
export function fingerprintText(schema: unknown): string {
  return fingerprint(schema).toString(16).padStart(16, '0');
}
