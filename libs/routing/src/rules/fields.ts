import { SluiceError } from '@sluice/domain';
import type { SignatureFacts } from '../signature.ts';

/** What a rule may do with a name: numbers are ordered, text is compared and searched, headers are text that may also be read as a number. */
export type FieldType = 'number' | 'text' | 'boolean' | 'header';

/** Types of the names a condition may use. */
export interface FieldTypes {
  /** @returns the type; `unreadable` for a field that exists but is an array, a map, bytes or a record; undefined for an unknown name. */
  typeOf(name: string): FieldType | 'unreadable' | undefined;
  readonly names: readonly string[];
}

/** Facts about the record that are not in it. */
export const factNames = ['size', 'staleness', 'timeLeft', 'missing', 'outOfRange', 'novelty'] as const satisfies (keyof SignatureFacts)[];
export type FactName = (typeof factNames)[number];

export const headerPrefix = 'header.';

const primitives: Readonly<Record<string, FieldType | undefined>> = {
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'text',
  enum: 'text',
  boolean: 'boolean',
};

interface Named {
  readonly type?: unknown;
  readonly name?: string;
  readonly namespace?: string;
  readonly fields?: readonly { readonly name: string; readonly type: unknown }[];
}

/**
 * Names and types a condition may use over requests of an Avro record schema: its scalar fields (dots enter records, also
 * where null is allowed), the facts, and `header.NAME`.
 * @throws SluiceError SLUICE_SCHEMA_INVALID when the schema is not a record.
 */
export function fieldTypes(schema: object): FieldTypes {
  const types = new Map<string, FieldType | 'unreadable'>();
  const root = schema as Named;
  if (root.type !== 'record' || root.fields === undefined)
    throw new SluiceError('SLUICE_SCHEMA_INVALID', 'the request schema is not an Avro record');
  collect(root, { prefix: '', namespace: '', types, known: new Map(), open: new Set() });
  for (const name of factNames) types.set(name, 'number');
  return {
    typeOf: (name) => (name.startsWith(headerPrefix) ? 'header' : types.get(name)),
    names: [...types.keys()].filter((name) => types.get(name) !== 'unreadable'),
  };
}

interface Walk {
  readonly prefix: string;
  /** Namespace that names without one belong to. */
  readonly namespace: string;
  readonly types: Map<string, FieldType | 'unreadable'>;
  readonly known: Map<string, Named>;
  /** Records being entered: a schema may contain itself. */
  readonly open: Set<Named>;
}

function collect(record: Named, walk: Walk): void {
  const namespace = remember(record, walk);
  walk.open.add(record);
  for (const field of record.fields ?? []) {
    collectField(field.type, { ...walk, namespace, prefix: walk.prefix === '' ? field.name : `${walk.prefix}.${field.name}` });
  }
  walk.open.delete(record);
}

function collectField(declared: unknown, walk: Walk): void {
  const branches = (Array.isArray(declared) ? declared : [declared])
    .filter((branch) => branch !== 'null')
    .map((branch) => resolve(branch, walk));
  const found = new Set(branches.map(typeOf));
  // Each record and each enum of a union has names of its own, so only one of them can be meant.
  const named = branches.filter((branch) => typeof branch !== 'string');
  const [type] = found;
  walk.types.set(walk.prefix, found.size === 1 && named.length < 2 && type !== undefined ? type : 'unreadable');
  for (const branch of named) remember(branch, walk);
  const only = branches.length === 1 ? named[0] : undefined;
  if (only?.type === 'record' && !walk.open.has(only)) collect(only, walk);
}

function typeOf(type: string | Named): FieldType | undefined {
  return primitives[typeof type === 'string' ? type : String(type.type)];
}

/** A reference becomes what it names, a logical type the type under it. */
function resolve(type: unknown, walk: Walk): string | Named {
  if (typeof type === 'string') return walk.known.get(type) ?? walk.known.get(`${walk.namespace}.${type}`) ?? type;
  const named = (type ?? { type: 'null' }) as Named;
  const under = named.type;
  if (typeof under === 'object' && under !== null) return resolve(under, walk);
  return typeof under === 'string' && under in primitives && named.name === undefined ? under : named;
}

/** Makes a type known by its full name; gives its namespace. */
function remember(type: Named, { known, namespace }: Walk): string {
  if (type.name === undefined) return namespace;
  const dot = type.name.lastIndexOf('.');
  const own = dot < 0 ? (type.namespace ?? namespace) : type.name.slice(0, dot);
  known.set(`${own}.${type.name.slice(dot + 1)}`, type);
  return own;
}

/** Names of several writer schemas together; a name whose types differ is unreadable, since a rule must mean one thing. */
export function mergeFieldTypes(all: readonly FieldTypes[]): FieldTypes {
  const typeOf = (name: string) => {
    const found = new Set(all.map((types) => types.typeOf(name)).filter((type) => type !== undefined));
    return found.size > 1 ? 'unreadable' : [...found][0];
  };
  return { typeOf, names: [...new Set(all.flatMap((types) => types.names))].filter((name) => typeOf(name) !== 'unreadable') };
}
