import { SluiceError } from '@sluice/domain';
import { type AvroObject, type AvroSchema, definedName, fullName, namespaceOf, primitives } from './fingerprint.ts';

export type PrimitiveKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

export interface PrimitiveNode {
  readonly kind: PrimitiveKind;
  readonly logicalType?: string;
}
export interface FieldNode {
  readonly name: string;
  readonly node: SchemaNode;
  readonly hasDefault: boolean;
  readonly aliases: readonly string[];
}
export interface RecordNode {
  readonly kind: 'record';
  readonly name: string;
  readonly fields: FieldNode[];
}
export interface EnumNode {
  readonly kind: 'enum';
  readonly name: string;
  readonly symbols: readonly string[];
  readonly hasDefault: boolean;
}
export interface FixedNode {
  readonly kind: 'fixed';
  readonly name: string;
  readonly size: number;
}
export interface ArrayNode {
  readonly kind: 'array';
  readonly items: SchemaNode;
}
export interface MapNode {
  readonly kind: 'map';
  readonly items: SchemaNode;
}
export type ListNode = ArrayNode | MapNode;
export interface UnionNode {
  readonly kind: 'union';
  readonly branches: readonly SchemaNode[];
}

/** A schema with its references resolved: a recursive type is a cycle in the graph. */
export type SchemaNode = PrimitiveNode | RecordNode | EnumNode | FixedNode | ListNode | UnionNode;

/**
 * Resolves an Avro schema.
 * @param schema parsed JSON of an `.avsc` file.
 * @throws SluiceError SLUICE_SCHEMA_INVALID naming the type or field at fault.
 */
export function resolveSchema(schema: unknown): SchemaNode {
  const root = new Resolver().resolve(schema as AvroSchema, '');
  refuseEndless(root, new Set(), new Set());
  return root;
}

class Resolver {
  readonly #named = new Map<string, SchemaNode>();

  resolve(schema: AvroSchema, namespace: string): SchemaNode {
    if (typeof schema === 'string') return this.#reference(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema as readonly AvroSchema[], namespace);
    if (typeof schema !== 'object' || schema === null) throw invalid(`${JSON.stringify(schema)} is no Avro type`);
    const object = schema as AvroObject;
    switch (object.type) {
      case 'record':
      case 'error':
        return this.#record(object, namespace);
      case 'enum':
        return this.#enum(object, namespace);
      case 'fixed':
        return this.#fixed(object, namespace);
      case 'array':
        return { kind: 'array', items: this.resolve(object['items'] as AvroSchema, namespace) };
      case 'map':
        return { kind: 'map', items: this.resolve(object['values'] as AvroSchema, namespace) };
      default:
        return withLogicalType(this.resolve(object.type, namespace), object['logicalType']);
    }
  }

  #reference(name: string, namespace: string): SchemaNode {
    if (primitives.has(name)) return { kind: name as PrimitiveKind };
    const node = this.#named.get(fullName(name, namespace));
    if (node === undefined) throw invalid(`the type ${name} is not defined before it is used`);
    return node;
  }

  #union(schema: readonly AvroSchema[], namespace: string): UnionNode {
    const branches = schema.map((branch) => this.resolve(branch, namespace));
    if (branches.length === 0) throw invalid('a union has no branches');
    if (branches.some((branch) => branch.kind === 'union')) throw invalid('a union stands directly inside a union');
    return { kind: 'union', branches };
  }

  #record(schema: AvroObject, namespace: string): RecordNode {
    // Defined before its fields are read, so that they may refer to it.
    const record = this.#define<RecordNode>({ kind: 'record', name: definedName(schema, namespace), fields: [] });
    const fields = schema['fields'];
    if (!Array.isArray(fields)) throw invalid(`record ${record.name} has no list of fields`);
    for (const field of fields as AvroObject[]) {
      const name = String(field.name);
      if (record.fields.some((other) => other.name === name)) throw invalid(`record ${record.name} has the field ${name} twice`);
      const node = this.resolve(field.type, namespaceOf(record.name));
      record.fields.push({ name, node, hasDefault: 'default' in field, aliases: (field['aliases'] as string[] | undefined) ?? [] });
    }
    return record;
  }

  #enum(schema: AvroObject, namespace: string): EnumNode {
    const name = definedName(schema, namespace);
    const symbols = schema['symbols'];
    if (!Array.isArray(symbols) || symbols.length === 0) throw invalid(`enum ${name} has no symbols`);
    return this.#define({ kind: 'enum', name, symbols: symbols as string[], hasDefault: 'default' in schema });
  }

  #fixed(schema: AvroObject, namespace: string): FixedNode {
    const name = definedName(schema, namespace);
    const size = schema['size'];
    if (!Number.isInteger(size) || (size as number) < 0) throw invalid(`fixed ${name} has no size`);
    return this.#define({ kind: 'fixed', name, size: size as number });
  }

  #define<N extends RecordNode | EnumNode | FixedNode>(node: N): N {
    if (this.#named.has(node.name)) throw invalid(`the type ${node.name} is defined twice`);
    this.#named.set(node.name, node);
    return node;
  }
}

function withLogicalType(node: SchemaNode, logicalType: unknown): SchemaNode {
  if (typeof logicalType !== 'string' || !primitives.has(node.kind)) return node;
  return { ...(node as PrimitiveNode), logicalType };
}

/** A record that contains itself in every value has no finite value; readers would never come to its end. */
function refuseEndless(node: SchemaNode, open: Set<SchemaNode>, done: Set<SchemaNode>): void {
  if (node.kind !== 'record' || done.has(node)) return;
  if (open.has(node)) throw invalid(`record ${node.name} contains itself without a union or list between`);
  open.add(node);
  for (const field of node.fields) refuseEndless(field.node, open, done);
  open.delete(node);
  done.add(node);
}

/** Fewest bytes a value can take. 0 means that every value takes none: only null, fixed(0) and records of these do. */
export function leastBytes(node: SchemaNode): number {
  switch (node.kind) {
    case 'null':
      return 0;
    case 'float':
      return 4;
    case 'double':
      return 8;
    case 'fixed':
      return node.size;
    case 'record':
      return node.fields.reduce((sum, field) => sum + leastBytes(field.node), 0);
    default:
      return 1;
  }
}

export function invalid(message: string): SluiceError {
  return new SluiceError('SLUICE_SCHEMA_INVALID', message);
}
