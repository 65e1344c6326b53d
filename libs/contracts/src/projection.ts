import { Cursor, malformed, truncated } from './cursor.ts';
import { type FieldKind, type FieldLeaf, findField } from './field-path.ts';
import { assemble, type Code, op, type Wanted } from './projection-code.ts';
import { resolveSchema } from './schema-node.ts';

/** What a slot holds after `read`, in `present`. */
export const slotKind = { missing: 0, number: 1, bytes: 2, symbol: 3 } as const;

/** How deep values of recursive types may nest; deeper ones are refused before they can exhaust the stack. */
const deepest = 64;

/**
 * Reads named fields of an Avro record and steps over all others: no object per value, no string, only slots.
 * It walks the whole value, so a damaged one is found even where no field is asked for.
 */
export interface Projection {
  /** The paths in the order of their slots, each once. */
  readonly paths: readonly string[];
  /** What the schema says about each slot. */
  readonly kinds: readonly FieldKind[];
  readonly leaves: readonly FieldLeaf[];
  /** A `slotKind` per slot: missing means null, or another branch of a union. */
  readonly present: Uint8Array;
  /** Numbers and booleans (0, 1); of an enum the index of its symbol; NaN where it is missing. */
  readonly numbers: Float64Array;
  /** Range of a text, bytes or fixed value within the bytes given to `read`. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** @throws RangeError when the path was not compiled in. */
  slot(path: string): number;
  /**
   * Fills the slots from the Avro body in `bytes[start, end)`. They hold until the next call.
   * @throws SluiceError SLUICE_AVRO_TRUNCATED or SLUICE_AVRO_INVALID; the slots are then undefined.
   */
  read(bytes: Uint8Array, start: number, end: number): void;
}

/**
 * @param schema parsed Avro schema, usually a record.
 * @param paths fields to read; dots enter nested records, also through unions.
 * @throws SluiceError SLUICE_SCHEMA_INVALID when the schema is wrong or a path leads to no readable field.
 */
export function compileProjection(schema: unknown, paths: readonly string[]): Projection {
  const root = resolveSchema(schema);
  const unique = [...new Set(paths)];
  const leaves = unique.map((path) => findField(root, path));
  const wanted: Wanted = { fields: new Map() };
  unique.forEach((path, slot) => (want(wanted, path).slot = slot));
  return new SkipReader({ paths: unique, leaves, code: assemble(root, wanted) });
}

function want(root: Wanted, path: string): Wanted {
  return path.split('.').reduce((parent, name) => {
    const child = parent.fields.get(name) ?? { fields: new Map() };
    parent.fields.set(name, child);
    return child;
  }, root);
}

class SkipReader implements Projection {
  readonly paths: readonly string[];
  readonly kinds: readonly FieldKind[];
  readonly leaves: readonly FieldLeaf[];
  readonly present: Uint8Array;
  readonly numbers: Float64Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #code: Int32Array;
  readonly #entries: Int32Array;
  readonly #optional: Int32Array;
  readonly #cursor = new Cursor();

  constructor(parts: { readonly paths: readonly string[]; readonly leaves: readonly FieldLeaf[]; readonly code: Code }) {
    const count = parts.paths.length;
    this.paths = parts.paths;
    this.leaves = parts.leaves;
    this.kinds = parts.leaves.map((leaf) => leaf.kind);
    this.present = new Uint8Array(count);
    this.numbers = new Float64Array(count);
    this.starts = new Int32Array(count);
    this.ends = new Int32Array(count);
    this.#code = parts.code.code;
    this.#entries = parts.code.entries;
    this.#optional = parts.code.optional;
  }

  slot(path: string): number {
    const slot = this.paths.indexOf(path);
    if (slot < 0) throw new RangeError(`${path} was not compiled into this projection`);
    return slot;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const cursor = this.#cursor;
    cursor.reset(bytes, start, end);
    for (let i = 0; i < this.#optional.length; i++) {
      const slot = this.#optional[i]!;
      this.present[slot] = slotKind.missing;
      this.numbers[slot] = Number.NaN;
    }
    this.#run(0, 0);
    if (cursor.at !== end) throw malformed(`${end - cursor.at} bytes follow the value`, cursor.at);
  }

  #run(from: number, depth: number): void {
    const code = this.#code;
    const cursor = this.#cursor;
    let pc = from;
    for (;;) {
      switch (code[pc]) {
        case op.bytes:
          cursor.skipBytes();
          pc += 1;
          break;
        case op.varint:
          cursor.skipVarint();
          pc += 1;
          break;
        case op.skip:
          cursor.skip(code[pc + 1]!);
          pc += 2;
          break;
        case op.union:
          pc = code[pc + 2 + cursor.index(code[pc + 1]!)]!;
          break;
        case op.jump:
          pc = code[pc + 1]!;
          break;
        case op.boolean:
          cursor.boolean();
          pc += 1;
          break;
        case op.enum:
          cursor.index(code[pc + 1]!);
          pc += 2;
          break;
        case op.list:
          this.#list(pc, depth);
          pc = code[pc + 4]!;
          break;
        case op.call:
          if (depth >= deepest) throw malformed(`records nest deeper than ${deepest}`, cursor.at);
          this.#run(this.#entries[code[pc + 1]!]!, depth + 1);
          pc += 2;
          break;
        case op.end:
          return;
        default:
          pc = this.#readSlot(pc);
      }
    }
  }

  #readSlot(pc: number): number {
    const code = this.#code;
    const cursor = this.#cursor;
    const slot = code[pc + 1]!;
    switch (code[pc]) {
      case op.readVarint:
        this.numbers[slot] = cursor.varint();
        break;
      case op.readFloats: {
        const count = code[pc + 2]!;
        cursor.floats(this.numbers, slot, count);
        // Outside of unions they are, once one value was read, and thirty writes are as long as reading thirty floats.
        if (this.present[slot] === slotKind.missing) this.present.fill(slotKind.number, slot, slot + count);
        return pc + 3;
      }
      case op.readDouble:
        cursor.double(this.numbers, slot);
        break;
      case op.readBoolean:
        this.numbers[slot] = cursor.boolean();
        break;
      case op.readEnum:
        this.numbers[slot] = cursor.index(code[pc + 2]!);
        this.present[slot] = slotKind.symbol;
        return pc + 3;
      case op.readFixed:
        this.#range(slot, code[pc + 2]!);
        return pc + 3;
      default:
        this.#range(slot, cursor.length());
        return pc + 2;
    }
    this.present[slot] = slotKind.number;
    return pc + 2;
  }

  #range(slot: number, length: number): void {
    this.starts[slot] = this.#cursor.at;
    this.#cursor.skip(length);
    this.ends[slot] = this.#cursor.at;
    this.present[slot] = slotKind.bytes;
  }

  /** Blocks of an array or map: count and items, until a count of 0; a negative count is followed by the block's bytes. */
  #list(pc: number, depth: number): void {
    const code = this.#code;
    const cursor = this.#cursor;
    const isMap = code[pc + 1] === 1;
    const least = code[pc + 2]!;
    for (let count = cursor.varint(); count !== 0; count = cursor.varint()) {
      const bytes = count < 0 ? cursor.length() : -1;
      const items = Math.abs(count);
      // Counts beyond what the bytes can hold are refused before the first item, so time stays linear in bytes.
      if (items * least > (bytes < 0 ? cursor.end - cursor.at : bytes)) throw truncated(cursor.at);
      if (bytes >= 0) {
        cursor.at += bytes;
        continue;
      }
      // Items without bytes leave nothing to walk, however many there are.
      for (let i = 0; least > 0 && i < items; i++) {
        if (isMap) cursor.skipBytes();
        this.#run(code[pc + 3]!, depth);
      }
    }
  }
}
