/**
 * Little-endian writer and reader for the states of this library. Every state is written and read field by field in one fixed
 * order, floats bit by bit, because "restored" must mean "the same machine", not "about the same".
 */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  f32(value: number): this {
    const at = this.#reserve(4);
    this.#view.setFloat32(at, value, true);
    return this;
  }

  f64(value: number): this {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  /** Length, then the bytes. */
  bytes(value: Uint8Array): this {
    this.u32(value.length);
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string): this {
    return this.bytes(new TextEncoder().encode(value));
  }

  /** Length, then the numbers. */
  f32s(values: Float32Array): this {
    this.u32(values.length);
    for (const value of values) this.f32(value);
    return this;
  }

  /** What was written, in memory of its own. */
  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** May replace bytes and view, so take the offset before touching either. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** Reads what `ByteWriter` wrote; throws RangeError past the end, which callers turn into a coded error. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  bytes(): Uint8Array {
    const length = this.u32();
    const at = this.#advance(length);
    if (this.#at > this.#bytes.length) throw new RangeError('the bytes end too early');
    return this.#bytes.slice(at, at + length);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  f32s(): Float32Array {
    const length = this.u32();
    if (length * 4 > this.#bytes.length - this.#at) throw new RangeError('the bytes end too early');
    return Float32Array.from({ length }, () => this.f32());
  }

  #advance(count: number): number {
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
