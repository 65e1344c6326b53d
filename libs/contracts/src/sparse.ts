import { endianness } from 'node:os';
import { SluiceError, type SparseRow } from '@sluice/domain';

const bigEndian = endianness() === 'BE';
const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

/** Room for a row of `count` columns in one allocation, which costs more than filling it. */
function sparseRow(count: number): SparseRow {
  const memory = new ArrayBuffer(count * 6);
  return { values: new Float32Array(memory, 0, count), indices: new Uint16Array(memory, count * 4, count) };
}

/**
 * Takes sparse rows out of one dense row, many times, without allocating: what it gives holds until the next call.
 * A sparse row shows only what is set, so its arrays differ in length; each length is made once. Rows are at most 65,536 wide.
 */
export class SparseScratch {
  /** Write the columns here. Its memory is even in length, so that two columns can be looked at in one step. */
  readonly dense: Float32Array;
  readonly #pairs: Float64Array;
  readonly #room: SparseRow;
  readonly #views: (SparseRow | undefined)[] = [];

  constructor(width: number) {
    this.#pairs = new Float64Array((width + 1) >> 1);
    this.dense = new Float32Array(this.#pairs.buffer, 0, width);
    this.#room = sparseRow(width);
  }

  /** The columns of `dense` that are not 0. */
  take(): SparseRow {
    const pairs = this.#pairs;
    const dense = this.dense;
    const { indices, values } = this.#room;
    let at = 0;
    for (let i = 0; i < pairs.length; i++) {
      // A double of 0 is a pair of zeros.
      if (pairs[i] === 0) continue;
      const first = dense[2 * i]!;
      if (first !== 0) {
        indices[at] = 2 * i;
        values[at++] = first;
      }
      if (2 * i + 1 === dense.length) break;
      const second = dense[2 * i + 1]!;
      if (second !== 0) {
        indices[at] = 2 * i + 1;
        values[at++] = second;
      }
    }
    return (this.#views[at] ??= { indices: indices.subarray(0, at), values: values.subarray(0, at) });
  }
}

/**
 * All indices (uint16) and then all values (float32), little-endian: 6 bytes a column.
 * @param bytes where to write them: exactly as long; left out: memory of its own.
 */
export function encodeSparse({ indices, values }: SparseRow, bytes: Buffer = Buffer.allocUnsafe(indices.length * 6)): Buffer {
  const count = indices.length;
  for (let i = 0, at = 2 * count; i < count; i++, at += 4) {
    const column = indices[i]!;
    bytes[2 * i] = column;
    bytes[2 * i + 1] = column >> 8;
    float[0] = values[i]!;
    const bits = word[0]!;
    bytes[at] = bits;
    bytes[at + 1] = bits >> 8;
    bytes[at + 2] = bits >> 16;
    bytes[at + 3] = bits >> 24;
  }
  return bytes;
}

/**
 * The row behind `encodeSparse`, in memory of its own.
 * @throws SluiceError SLUICE_AVRO_INVALID when the length is not a multiple of 6 or the indices do not rise.
 */
export function decodeSparse(bytes: Uint8Array): SparseRow {
  const count = bytes.length / 6;
  if (!Number.isInteger(count)) throw new SluiceError('SLUICE_AVRO_INVALID', `a sparse row of ${bytes.length} bytes: not 6 per column`);
  const sparse = sparseRow(count);
  const { indices, values } = sparse;
  let before = -1;
  for (let i = 0, at = 2 * count; i < count; i++, at += 4) {
    const column = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
    if (column <= before) throw new SluiceError('SLUICE_AVRO_INVALID', `the columns of a sparse row do not rise at ${i}`);
    before = column;
    indices[i] = column;
    word[0] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    values[i] = float[0]!;
  }
  return sparse;
}

/** Dense weights as float32 little-endian. */
export function encodeVector(vector: Float32Array): Buffer {
  const bytes = Buffer.from(bytesOf(vector));
  return bigEndian ? bytes.swap32() : bytes;
}

/** @throws SluiceError SLUICE_AVRO_INVALID when the length is not a multiple of 4. */
export function decodeVector(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) throw new SluiceError('SLUICE_AVRO_INVALID', `a vector of ${bytes.length} bytes: not 4 per weight`);
  const vector = new Float32Array(bytes.length / 4);
  bytesOf(vector).set(bytes);
  if (bigEndian) Buffer.from(vector.buffer).swap32();
  return vector;
}

const bytesOf = (array: Uint16Array | Float32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
