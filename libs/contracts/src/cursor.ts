import { SluiceError } from '@sluice/domain';

const words = new Int32Array(2);
const double = new Float64Array(words.buffer);
double[0] = 1;
// The words are written as numbers, so only the order of the two halves of a double depends on the machine.
const low = words[0] === 0 ? 0 : 1;

/**
 * Reads Avro's binary primitives between `at` and `end` and never past `end`.
 * Every method throws SluiceError SLUICE_AVRO_TRUNCATED at the end of the bytes and SLUICE_AVRO_INVALID for impossible ones.
 */
export class Cursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  #view = new DataView(this.bytes.buffer);

  reset(bytes: Uint8Array, start: number, end: number): void {
    if (start < 0 || start > end || end > bytes.length) throw truncated(start);
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  skip(count: number): void {
    const next = this.at + count;
    if (next > this.end) throw truncated(this.at);
    this.at = next;
  }

  /** int and long: zig-zag, at most 64 bits. Beyond 2^53 the nearest double. */
  varint(): number {
    if (this.at >= this.end) throw truncated(this.at);
    const first = this.bytes[this.at]!;
    if (first < 0x80) {
      this.at++;
      return (first >>> 1) ^ -(first & 1);
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    const { bytes, end } = this;
    const start = this.at;
    const odd = bytes[start]! & 1;
    // Unsigned value without its sign bit, in three parts that each fit 31 bits: bits 1-27, 28-55, 56-63.
    let parts0 = 0;
    let parts1 = 0;
    let parts2 = 0;
    for (let i = 0; i < 10; i++) {
      if (start + i >= end) throw truncated(start);
      const byte = bytes[start + i]!;
      if (i < 4) parts0 |= (byte & 0x7f) << (7 * i);
      else if (i < 8) parts1 |= (byte & 0x7f) << (7 * (i - 4));
      else parts2 |= (byte & 0x7f) << (7 * (i - 8));
      if (byte < 0x80) {
        if (parts2 > 0xff) break;
        this.at = start + i + 1;
        // Zig-zag: odd means -(n + 1). Both parts are exact, so their sum rounds once, to the nearest double.
        const high = (parts1 + parts2 * 0x10000000) * 0x8000000;
        return odd === 1 ? -(high + ((parts0 >>> 1) + 1)) : high + (parts0 >>> 1);
      }
    }
    throw malformed('a number takes more than 64 bits', start);
  }

  skipVarint(): void {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && bytes[at]! >= 0x80) at++;
    if (at >= end) throw truncated(this.at);
    if (at - this.at > 9 || (at - this.at === 9 && bytes[at]! > 1)) throw malformed('a number takes more than 64 bits', this.at);
    this.at = at + 1;
  }

  /** A length, checked against the bytes that are left; afterwards `at` is the first byte it counts. */
  length(): number {
    const start = this.at;
    const length = this.varint();
    if (length < 0) throw malformed(`a length is ${length}`, start);
    if (length > this.end - this.at) throw truncated(start);
    return length;
  }

  /** Steps over bytes or a string. */
  skipBytes(): void {
    const length = this.length();
    this.at += length;
  }

  /** Reads `count` floats side by side into `numbers[from, from + count)`. */
  floats(numbers: Float64Array, from: number, count: number): void {
    const { bytes, at } = this;
    if (at + 4 * count > this.end) throw truncated(at);
    // Values of one batch share their buffer, so the view is made once for many; a float from its bytes takes three times as long.
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    const view = this.#view;
    const first = bytes.byteOffset + at;
    for (let i = 0; i < count; i++) numbers[from + i] = view.getFloat32(first + 4 * i, true);
    this.at = at + 4 * count;
  }

  /** Into `slots[slot]`: handed out as a number, each would be an object of its own. */
  double(slots: Float64Array, slot: number): void {
    if (this.at + 8 > this.end) throw truncated(this.at);
    words[low] = this.#word(this.at);
    words[1 - low] = this.#word(this.at + 4);
    this.at += 8;
    slots[slot] = double[0]!;
  }

  boolean(): number {
    if (this.at >= this.end) throw truncated(this.at);
    const value = this.bytes[this.at]!;
    if (value > 1) throw malformed(`a boolean is ${value}`, this.at);
    this.at++;
    return value;
  }

  /** Index of an enum symbol or of a union branch. */
  index(count: number): number {
    const start = this.at;
    const index = this.varint();
    if (!(index >= 0 && index < count)) throw malformed(`index ${index} of ${count}`, start);
    return index;
  }

  #word(at: number): number {
    const { bytes } = this;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
}

export function truncated(at: number): SluiceError {
  return new SluiceError('SLUICE_AVRO_TRUNCATED', `the value ends within what starts at byte ${at}`);
}

export function malformed(fault: string, at: number): SluiceError {
  return new SluiceError('SLUICE_AVRO_INVALID', `${fault}, at byte ${at}`);
}
