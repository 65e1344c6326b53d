import type { AvroObject, AvroSchema } from '../src/fingerprint.ts';
import { branchName } from './arbitrary-schema.ts';

/**
 * A slow, plain Avro encoder written from the specification. Unlike avsc it writes lists in every form that is allowed: one item a
 * block, and with `sized` as negative counts followed by the block's size.
 */
export function encodePlain(schema: AvroSchema, value: unknown, sized: boolean): Buffer {
  if (Array.isArray(schema)) return union(schema as AvroSchema[], value, sized);
  if (typeof schema !== 'string') return complex(schema as AvroObject, value, sized);
  switch (schema) {
    case 'null':
      return Buffer.alloc(0);
    case 'boolean':
      return Buffer.of(value ? 1 : 0);
    case 'int':
    case 'long':
      return varint(BigInt(value as number));
    case 'float': {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(value as number);
      return bytes;
    }
    case 'double': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value as number);
      return bytes;
    }
    default: {
      const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Buffer);
      return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
    }
  }
}

function complex(schema: AvroObject, value: unknown, sized: boolean): Buffer {
  switch (schema.type) {
    case 'enum':
      return varint(BigInt((schema['symbols'] as string[]).indexOf(value as string)));
    case 'fixed':
      return value as Buffer;
    case 'array':
      return blocks(
        (value as unknown[]).map((item) => encodePlain(schema['items'] as AvroSchema, item, sized)),
        sized,
      );
    case 'map': {
      const entry = ([key, item]: [string, unknown]) =>
        Buffer.concat([encodePlain('string', key, sized), encodePlain(schema['values'] as AvroSchema, item, sized)]);
      return blocks(Object.entries(value as Record<string, unknown>).map(entry), sized);
    }
    case 'record': {
      const fields = schema['fields'] as AvroObject[];
      return Buffer.concat(fields.map((field) => encodePlain(field.type, (value as Record<string, unknown>)[field.name!], sized)));
    }
    default:
      return encodePlain(schema.type, value, sized);
  }
}

function union(branches: readonly AvroSchema[], value: unknown, sized: boolean): Buffer {
  const name = value === null ? 'null' : Object.keys(value as object)[0]!;
  const index = branches.findIndex((branch) => branchName(branch) === name);
  const inner = value === null ? null : (value as Record<string, unknown>)[name];
  return Buffer.concat([varint(BigInt(index)), encodePlain(branches[index]!, inner, sized)]);
}

function blocks(items: readonly Buffer[], sized: boolean): Buffer {
  const parts = items.flatMap((item) => (sized ? [varint(-1n), varint(BigInt(item.length)), item] : [varint(1n), item]));
  return Buffer.concat([...parts, varint(0n)]);
}

/** Zig-zag, base 128. */
export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
