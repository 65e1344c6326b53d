import { SluiceError } from '@sluice/domain';
import { type FieldNode, type RecordNode, resolveSchema, type SchemaNode } from './schema-node.ts';

/**
 * Holds a schema against versions of it that data was written with: `reader` must be able to read each of them (Avro
 * specification, "Schema Resolution"). For full transitive compatibility call it with every version as reader of all others.
 * @throws SluiceError SLUICE_SCHEMA_INCOMPATIBLE listing every fault with the version and the path of the field.
 */
export function checkCompatible(reader: object, writers: Readonly<Record<string, object>>): void {
  const node = resolveSchema(reader);
  const faults = Object.entries(writers).flatMap(([version, writer]) =>
    new Comparison().compare(node, resolveSchema(writer), '').map((fault) => `\n  data of ${version}: ${fault}`),
  );
  if (faults.length === 0) return;
  const name = 'name' in node ? node.name : node.kind;
  throw new SluiceError('SLUICE_SCHEMA_INCOMPATIBLE', `${name} cannot read earlier or later data:${faults.join('')}`);
}

/** What a reader of one kind also accepts from writers of others. */
const promotions: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  string: ['bytes'],
  bytes: ['string'],
};

class Comparison {
  // Recursive types: a pair that is already being compared is taken as compatible; its own comparison finds the faults.
  readonly #open = new Map<SchemaNode, Set<SchemaNode>>();

  /** Faults, each with the path of the field; none when the reader can read what the writer wrote. */
  compare(reader: SchemaNode, writer: SchemaNode, path: string): readonly string[] {
    if (writer.kind === 'union') return writer.branches.flatMap((branch) => this.compare(reader, branch, path));
    if (reader.kind === 'union') {
      if (reader.branches.some((branch) => this.compare(branch, writer, path).length === 0)) return [];
      return [fault(path, `the reader's union has no branch for ${describe(writer)}`)];
    }
    if (reader.kind === 'record' && writer.kind === 'record') return this.#records(reader, writer, path);
    if (reader.kind === 'enum' && writer.kind === 'enum') return enums(reader, writer, path);
    if (reader.kind === 'fixed' && writer.kind === 'fixed') {
      const same = reader.size === writer.size && unqualified(reader.name) === unqualified(writer.name);
      return same ? [] : [fault(path, `${describe(writer)} was written, ${describe(reader)} is expected`)];
    }
    if ((reader.kind === 'array' || reader.kind === 'map') && reader.kind === writer.kind) {
      return this.compare(reader.items, (writer as typeof reader).items, `${path}[]`);
    }
    if (reader.kind === writer.kind || promotions[reader.kind]?.includes(writer.kind) === true) return [];
    return [fault(path, `${describe(writer)} was written, ${describe(reader)} is expected`)];
  }

  #records(reader: RecordNode, writer: RecordNode, path: string): readonly string[] {
    if (unqualified(reader.name) !== unqualified(writer.name))
      return [fault(path, `record ${writer.name} was written, ${reader.name} is expected`)];
    const open = this.#open.get(reader) ?? new Set();
    if (open.has(writer)) return [];
    this.#open.set(reader, open.add(writer));
    const faults = reader.fields.flatMap((field) => this.#field(field, writer, path === '' ? field.name : `${path}.${field.name}`));
    open.delete(writer);
    return faults;
  }

  #field(field: FieldNode, writer: RecordNode, path: string): readonly string[] {
    const written = writer.fields.find((other) => other.name === field.name || field.aliases.includes(other.name));
    if (written !== undefined) return this.compare(field.node, written.node, path);
    return field.hasDefault ? [] : [fault(path, 'the field was not written and has no default')];
  }
}

function enums(reader: SchemaNode & { kind: 'enum' }, writer: SchemaNode & { kind: 'enum' }, path: string): readonly string[] {
  if (unqualified(reader.name) !== unqualified(writer.name))
    return [fault(path, `enum ${writer.name} was written, ${reader.name} is expected`)];
  const unknown = reader.hasDefault ? [] : writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
  return unknown.length === 0 ? [] : [fault(path, `the reader's enum lacks ${unknown.join(', ')} and has no default`)];
}

const fault = (path: string, what: string): string => `${path === '' ? '(root)' : `field ${path}`}: ${what}`;
const unqualified = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
const describe = (node: SchemaNode): string =>
  'name' in node ? `${node.kind} ${node.name}${node.kind === 'fixed' ? ` of ${node.size}` : ''}` : node.kind;
