import avro, { type Type } from 'avsc';
import { type ErrorCode, SluiceError } from '@sluice/domain';
import { type AvroObject, fingerprint } from './fingerprint.ts';
import { logicalTypes } from './logical.ts';
import { compileProjection, type Projection } from './projection.ts';

type Resolver = ReturnType<Type['createResolver']>;

/** Reads and writes one of our schemas in Avro single-object encoding. */
export interface Codec<T> {
  readonly name: string;
  /** The current schema; `earlier` holds the versions that are still read. */
  readonly schema: AvroObject;
  readonly earlier: readonly AvroObject[];
  encode(value: T): Buffer;
  /** @throws SluiceError with the code of the codec when the bytes are none of the known versions, whole and without a rest. */
  decode(bytes: Uint8Array): T;
}

interface CodecSpec {
  readonly schema: AvroObject;
  readonly earlier?: readonly AvroObject[];
  /** Code of the errors that `decode` throws. */
  readonly invalid?: ErrorCode;
}

/** Bytes before the datum: C3 01, then the fingerprint of the writer schema, little-endian (Avro specification, "Single-object encoding"). */
export const singleObjectHeader = 10;

export function markerOf(schema: unknown): Buffer {
  const marker = Buffer.alloc(singleObjectHeader);
  marker.writeUInt16BE(0xc301, 0);
  marker.writeBigUInt64LE(fingerprint(schema), 2);
  return marker;
}

// Encoding is synchronous and never re-entered, so one buffer serves every codec; it keeps the size of the largest value.
let scratch = Buffer.allocUnsafeSlow(64 * 1024);

export function defineCodec<T>(spec: CodecSpec): Codec<T> {
  const { schema, earlier = [], invalid = 'SLUICE_AVRO_INVALID' } = spec;
  const type = compile(schema);
  const writers = [schema, ...earlier].map((writer) => writerOf(type, writer, writer === schema));
  const current: MarkedType = { type, marker: writers[0]!.marker };
  const name = String(schema.name);
  return {
    name,
    schema,
    earlier,
    encode: (value) => encodeMarked(current, value),
    decode(bytes) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const writer = writers.find((known) => startsWith(buffer, known.marker));
      if (writer === undefined) throw new SluiceError(invalid, `${name}: the bytes do not start with the fingerprint of a known version`);
      try {
        writer.walk.read(buffer, singleObjectHeader, buffer.length);
        return type.decode(buffer, singleObjectHeader, writer.resolver).value as T;
      } catch (cause) {
        throw new SluiceError(invalid, `${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    },
  };
}

export interface MarkedType {
  readonly type: Type;
  readonly marker: Buffer;
}

export function encodeMarked({ type, marker }: MarkedType, value: unknown): Buffer {
  marker.copy(scratch, 0);
  let end = type.encode(value, scratch, singleObjectHeader);
  if (end < 0) {
    // avsc says how many bytes are missing; twice that keeps growing values from coming here again at once.
    scratch = Buffer.allocUnsafeSlow(2 * (scratch.length - end));
    marker.copy(scratch, 0);
    end = type.encode(value, scratch, singleObjectHeader);
  }
  const bytes = Buffer.allocUnsafe(end);
  scratch.copy(bytes, 0, 0, end);
  return bytes;
}

/** `long` stays a JavaScript number: our own schemas hold times, offsets and counts below 2^53. */
function compile(schema: AvroObject): Type {
  return avro.Type.forSchema(schema as never, { logicalTypes, omitRecordMethods: true, wrapUnions: 'never' } as never);
}

interface Writer {
  readonly marker: Buffer;
  /**
   * Walks the bytes before avsc builds objects from them. avsc believes a list's count and goes on past the end of the bytes, so
   * a damaged count would make it allocate without bound.
   */
  readonly walk: Projection;
  readonly resolver: Resolver | undefined;
}

function writerOf(reader: Type, writer: AvroObject, current: boolean): Writer {
  return {
    marker: markerOf(writer),
    walk: compileProjection(writer, []),
    resolver: current ? undefined : reader.createResolver(compile(writer)),
  };
}

function startsWith(buffer: Buffer, marker: Buffer): boolean {
  if (buffer.length < singleObjectHeader) return false;
  for (let i = 0; i < singleObjectHeader; i++) if (buffer[i] !== marker[i]) return false;
  return true;
}
