import type { Encoded } from '../record-batch/produce-request.ts';
import { flexible, writeTags } from '../record-batch/form.ts';

/** Writes the body of a request of a flexible version (KIP-482), behind the tagged fields that end its header. */
export class FlexibleWriter {
  readonly #parts: Buffer[] = [];

  constructor() {
    this.tags();
  }

  int16(value: number): this {
    return this.#part(2, (bytes) => bytes.writeInt16BE(value));
  }

  int32(value: number): this {
    return this.#part(4, (bytes) => bytes.writeInt32BE(value));
  }

  int64(value: { toString(): string }): this {
    return this.#part(8, (bytes) => bytes.writeBigInt64BE(BigInt(value.toString())));
  }

  boolean(value: boolean): this {
    return this.#part(1, (bytes) => bytes.writeInt8(value ? 1 : 0));
  }

  string(text: string | null): this {
    return this.#part(flexible.sizeOfString(text), (bytes) => flexible.writeString(bytes, 0, text));
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.#part(flexible.sizeOfLength(items.length), (bytes) => flexible.writeLength(bytes, 0, items.length));
    for (const item of items) write(item);
    return this;
  }

  /** No tagged fields: what each structure ends with. */
  tags(): this {
    return this.#part(flexible.tags, (bytes) => writeTags(bytes, 0, flexible));
  }

  finish(): Encoded {
    const bytes = Buffer.concat(this.#parts);
    return { buf: bytes, buffer: bytes, size: () => bytes.length };
  }

  #part(size: number, write: (bytes: Buffer) => void): this {
    const bytes = Buffer.allocUnsafe(size);
    write(bytes);
    this.#parts.push(bytes);
    return this;
  }
}

/** Reads an answer of a flexible version, in order. */
export class FlexibleReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  /** As text, as the client has it. */
  int64(): string {
    return String(this.#bytes.readBigInt64BE(this.#skip(8)));
  }

  string(): string | null {
    const length = this.#uvarint() - 1;
    if (length < 0) return null;
    const from = this.#skip(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.#uvarint() - 1) }, read);
  }

  /** Tagged fields: those that `readers` names by their tags are read, the rest is passed over. */
  tags(readers: Readonly<Record<number, () => void>> = {}): void {
    for (let left = this.#uvarint(); left > 0; left--) {
      const tag = this.#uvarint();
      const end = this.#uvarint() + this.#at;
      readers[tag]?.();
      this.#at = end;
    }
  }

  #uvarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes.readUInt8(this.#skip(1));
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #skip(size: number): number {
    const from = this.#at;
    this.#at += size;
    return from;
  }
}
