import { type EnumNode, leastBytes, type ListNode, type RecordNode, type SchemaNode, type UnionNode } from './schema-node.ts';

/**
 * Instructions of the skip-reader: a flat list of numbers, operation first, operands after it. `slot` is where a value that
 * was asked for goes. Nested records are written out in place, so most schemas are one straight run.
 */
export const op = {
  /** End of the value, of a list item or of a subroutine. */
  end: 0,
  /** bytes */
  skip: 1,
  varint: 2,
  bytes: 3,
  boolean: 4,
  /** number of symbols */
  enum: 5,
  /** number of branches n, then n targets */
  union: 6,
  /** target */
  jump: 7,
  /** 1 for a map, least bytes of an item, first instruction of the item, target after it */
  list: 8,
  /** index of the subroutine */
  call: 9,
  /** slot */
  readVarint: 10,
  readDouble: 11,
  readBoolean: 12,
  readBytes: 13,
  /** slot, bytes */
  readFixed: 14,
  /** slot, number of symbols */
  readEnum: 15,
  /** first slot, count: floats side by side for slots side by side, read in one go */
  readFloats: 16,
} as const;

/** Which fields below a record are asked for; `slot` is set where a path ends. */
export interface Wanted {
  slot?: number;
  readonly fields: Map<string, Wanted>;
}

export interface Code {
  readonly code: Int32Array;
  /** First instruction of each subroutine: one per record type that is skipped. */
  readonly entries: Int32Array;
  /** Slots that a value may leave as they are: those below a union. */
  readonly optional: Int32Array;
}

export function assemble(root: SchemaNode, wanted: Wanted): Code {
  return new Assembler().assemble(root, wanted);
}

class Assembler {
  readonly #code: number[] = [];
  // Skipping a record type is one subroutine, however often and however recursively the type is used.
  readonly #subroutines = new Map<RecordNode, number>();
  readonly #pending: RecordNode[] = [];
  /** Position of a skip that may still grow. Any other instruction ends it, and one stands before every point that is jumped to. */
  #growing = -1;
  readonly #optional: number[] = [];
  /** How many unions the node being written lies in. */
  #unions = 0;
  /** Position of a `readFloats` that may still grow, likewise. */
  #floats = -1;

  assemble(root: SchemaNode, wanted: Wanted): Code {
    if (root.kind === 'record') this.#fields(root, wanted);
    else this.#emit(root, wanted);
    this.#push(op.end);
    const entries: number[] = [];
    for (let record = this.#pending.shift(); record !== undefined; record = this.#pending.shift()) {
      entries.push(this.#code.length);
      this.#fields(record, undefined);
      this.#push(op.end);
    }
    return { code: Int32Array.from(this.#code), entries: Int32Array.from(entries), optional: Int32Array.from(new Set(this.#optional)) };
  }

  #push(...numbers: number[]): void {
    this.#code.push(...numbers);
    this.#growing = -1;
    this.#floats = -1;
  }

  #fields(record: RecordNode, wanted: Wanted | undefined): void {
    for (const field of record.fields) this.#emit(field.node, wanted?.fields.get(field.name));
  }

  #emit(node: SchemaNode, wanted: Wanted | undefined): void {
    if (node.kind === 'union') this.#union(node, wanted);
    else if (node.kind === 'record') this.#record(node, wanted);
    else if (node.kind === 'array' || node.kind === 'map') this.#list(node);
    else if (wanted?.slot === undefined) this.#skip(node);
    else this.#read(node, wanted.slot);
  }

  #record(node: RecordNode, wanted: Wanted | undefined): void {
    if (wanted !== undefined && wanted.fields.size > 0) return this.#fields(node, wanted);
    if (leastBytes(node) === 0) return;
    let index = this.#subroutines.get(node);
    if (index === undefined) {
      index = this.#subroutines.size;
      this.#subroutines.set(node, index);
      this.#pending.push(node);
    }
    this.#push(op.call, index);
  }

  #union(node: UnionNode, wanted: Wanted | undefined): void {
    const table = this.#code.length + 2;
    this.#unions += 1;
    this.#push(op.union, node.branches.length, ...node.branches.map(() => 0));
    const exits = node.branches.map((branch, index) => {
      this.#code[table + index] = this.#code.length;
      this.#emit(branch, wanted);
      this.#push(op.jump, 0);
      return this.#code.length - 1;
    });
    for (const exit of exits) this.#code[exit] = this.#code.length;
    this.#unions -= 1;
  }

  #list(node: ListNode): void {
    const isMap = node.kind === 'map' ? 1 : 0;
    const start = this.#code.length;
    this.#push(op.list, isMap, leastBytes(node.items) + isMap, start + 5, 0);
    this.#emit(node.items, undefined);
    this.#push(op.end);
    this.#code[start + 4] = this.#code.length;
  }

  #skip(node: Exclude<SchemaNode, UnionNode | RecordNode | ListNode>): void {
    switch (node.kind) {
      case 'null':
        return;
      case 'boolean':
        return this.#push(op.boolean);
      case 'int':
      case 'long':
        return this.#push(op.varint);
      case 'bytes':
      case 'string':
        return this.#push(op.bytes);
      case 'enum':
        return this.#push(op.enum, node.symbols.length);
      default:
        return this.#skipFixed(leastBytes(node));
    }
  }

  #skipFixed(size: number): void {
    if (this.#growing >= 0) {
      this.#code[this.#growing]! += size;
      return;
    }
    this.#push(op.skip, size);
    this.#growing = this.#code.length - 1;
  }

  #read(node: Exclude<SchemaNode, UnionNode | RecordNode | ListNode>, slot: number): void {
    if (this.#unions > 0) this.#optional.push(slot);
    if (node.kind === 'enum') this.#push(op.readEnum, slot, (node as EnumNode).symbols.length);
    else if (node.kind === 'fixed') this.#push(op.readFixed, slot, node.size);
    else if (node.kind === 'float') this.#readFloat(slot);
    else if (node.kind !== 'null') this.#push(readers[node.kind], slot);
  }

  #readFloat(slot: number): void {
    const at = this.#floats;
    if (at >= 0 && this.#code[at + 1]! + this.#code[at + 2]! === slot) {
      this.#code[at + 2]! += 1;
      return;
    }
    this.#push(op.readFloats, slot, 1);
    this.#floats = this.#code.length - 3;
  }
}

const readers = {
  boolean: op.readBoolean,
  int: op.readVarint,
  long: op.readVarint,
  double: op.readDouble,
  bytes: op.readBytes,
  string: op.readBytes,
} as const;
