import { type FieldNode, invalid, type RecordNode, type SchemaNode } from './schema-node.ts';

/** What can be read of a field: `mixed` where branches of a union differ, and the value tells. */
export type FieldKind = 'number' | 'text' | 'bytes' | 'symbol' | 'mixed';

/** The values a path can lead to, null left out. */
export interface FieldLeaf {
  readonly kind: FieldKind;
  readonly nodes: readonly SchemaNode[];
}

/**
 * What the dotted path leads to, through nested records and unions.
 * @throws SluiceError SLUICE_SCHEMA_INVALID naming the path, and what is there instead.
 */
export function findField(root: SchemaNode, path: string): FieldLeaf {
  const nodes = path.split('.').reduce<readonly SchemaNode[]>((from, name) => step(from, name, path), branchesOf(root));
  const kinds = new Set(nodes.map((node) => kindOf(node)));
  const [kind] = kinds;
  if (kind === undefined || kinds.has(undefined)) {
    throw invalid(
      `field ${path} is a ${nodes.find((node) => kindOf(node) === undefined)?.kind ?? 'null'}: only numbers, texts, bytes and enums can be read`,
    );
  }
  return { kind: kinds.size === 1 ? kind : 'mixed', nodes };
}

/** Branches of a union but for null; any other type is its own branch. */
export function branchesOf(node: SchemaNode): readonly SchemaNode[] {
  const branches = node.kind === 'union' ? node.branches : [node];
  return branches.filter((branch) => branch.kind !== 'null');
}

function step(from: readonly SchemaNode[], name: string, path: string): readonly SchemaNode[] {
  const records = from.filter((node): node is RecordNode => node.kind === 'record');
  const fields = records
    .map((record) => record.fields.find((field) => field.name === name))
    .filter((field): field is FieldNode => field !== undefined);
  if (fields.length > 0) return fields.flatMap((field) => branchesOf(field.node));
  const known = records.flatMap((record) => record.fields.map((field) => field.name));
  const instead = known.length > 0 ? `the record has ${known.join(', ')}` : `${name} is looked for in a ${from[0]?.kind ?? 'null'}`;
  throw invalid(`there is no field ${path}: ${instead}`);
}

function kindOf(node: SchemaNode): Exclude<FieldKind, 'mixed'> | undefined {
  switch (node.kind) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number';
    case 'string':
      return 'text';
    case 'bytes':
    case 'fixed':
      return 'bytes';
    case 'enum':
      return 'symbol';
    default:
      return undefined;
  }
}
