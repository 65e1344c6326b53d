/** How a value of the Kafka protocol stands on the wire (big endian, lengths before contents). */
export interface Codec<T> {
  readonly read: (reader: Reader) => T;
  readonly write: (writer: Writer, value: T) => void;
}

/** The value that a codec carries. */
export type Of<C> = C extends Codec<infer T> ? T : never;

export class Reader {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  /** Moves over `size` bytes. @returns where they begin */
  skip(size: number): number {
    const from = this.at;
    this.at += size;
    if (this.at > this.buffer.length) throw new RangeError(`${size} bytes at ${from} end behind ${this.buffer.length}`);
    return from;
  }
}

export class Writer {
  #buffer = Buffer.allocUnsafe(256);
  #size = 0;

  /** Makes room. @returns where to write, and the buffer to write to */
  grow(size: number): readonly [Buffer, number] {
    const at = this.#size;
    this.#size += size;
    if (this.#size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#size, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return [this.#buffer, at];
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }
}

const fixed = <T>(size: number, read: (b: Buffer, at: number) => T, write: (b: Buffer, at: number, value: T) => void): Codec<T> => ({
  read: (reader) => read(reader.buffer, reader.skip(size)),
  write: (writer, value) => {
    const [buffer, at] = writer.grow(size);
    write(buffer, at, value);
  },
});

export const int8 = fixed(1, (b, at) => b.readInt8(at), (b, at, value: number) => b.writeInt8(value, at)); // prettier-ignore
export const int16 = fixed(2, (b, at) => b.readInt16BE(at), (b, at, value: number) => b.writeInt16BE(value, at)); // prettier-ignore
export const int32 = fixed(4, (b, at) => b.readInt32BE(at), (b, at, value: number) => b.writeInt32BE(value, at)); // prettier-ignore
/** As a number: offsets and ids of a simulation stay far below 2^53. */
export const int64 = fixed(8, (b, at) => Number(b.readBigInt64BE(at)), (b, at, value: number) => b.writeBigInt64BE(BigInt(value), at)); // prettier-ignore
export const boolean = fixed(1, (b, at) => b.readInt8(at) !== 0, (b, at, value: boolean) => b.writeInt8(value ? 1 : 0, at)); // prettier-ignore

/** Text or bytes with their length before them; a negative length is null. */
export const sized = <T>(size: Codec<number>, read: (b: Buffer) => T, toBuffer: (value: T) => Buffer): Codec<T | null> => ({
  read: (reader) => {
    const length = size.read(reader);
    if (length < 0) return null;
    const from = reader.skip(length);
    return read(reader.buffer.subarray(from, from + length));
  },
  write: (writer, value) => {
    if (value === null) return size.write(writer, -1);
    const bytes = toBuffer(value);
    size.write(writer, bytes.length);
    const [buffer, at] = writer.grow(bytes.length);
    bytes.copy(buffer, at);
  },
});

export const nullableString = sized<string>(int16, String, (text) => Buffer.from(text));
export const bytes = sized<Buffer>(int32, (buffer) => buffer, (buffer) => buffer); // prettier-ignore

export const string: Codec<string> = {
  read: (reader) => nullableString.read(reader) ?? '',
  write: nullableString.write,
};

export const array = <T>(item: Codec<T>, size: Codec<number> = int32): Codec<readonly T[]> => ({
  read: (reader) => Array.from({ length: Math.max(0, size.read(reader)) }, () => item.read(reader)),
  write: (writer, items) => {
    size.write(writer, items.length);
    for (const one of items) item.write(writer, one);
  },
});

export type Fields = Readonly<Record<string, Codec<never> | Codec<unknown> | object>>;

/** Fields one after the other, in the order in which they are named. */
export function struct<F extends Fields>(fields: F): Codec<{ readonly [K in keyof F]: Of<F[K]> }> {
  const entries = Object.entries(fields) as [string, Codec<unknown>][];
  return {
    read: (reader) => {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of entries) value[name] = codec.read(reader);
      return value as { [K in keyof F]: Of<F[K]> };
    },
    write: (writer, value) => {
      for (const [name, codec] of entries) codec.write(writer, value[name]);
    },
  };
}
