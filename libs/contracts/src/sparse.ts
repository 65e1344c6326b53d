import { endianness } from 'node:os';
import { SluiceError, type SparseRow } from '@sluice/domain';

const bigEndian = endianness() === 'BE';

/** Keeps the columns of a dense row that are not 0. Rows are at most 65,536 wide. */
export function toSparse(row: Float32Array): SparseRow {
  let count = 0;
  for (let i = 0; i < row.length; i++) if (row[i] !== 0) count++;
  const indices = new Uint16Array(count);
  const values = new Float32Array(count);
  for (let i = 0, at = 0; at < count; i++) {
    const value = row[i]!;
    if (value === 0) continue;
    indices[at] = i;
    values[at++] = value;
  }
  return { indices, values };
}

/** All indices (uint16) and then all values (float32), little-endian: 6 bytes a column. */
export function encodeSparse(row: SparseRow): Buffer {
  const { indices, values } = row;
  const count = indices.length;
  const bytes = Buffer.allocUnsafe(count * 6);
  bytes.set(bytesOf(indices), 0);
  bytes.set(bytesOf(values), count * 2);
  if (bigEndian) swap(bytes, count);
  return bytes;
}

/**
 * The row behind `encodeSparse`, in memory of its own.
 * @throws SluiceError SLUICE_AVRO_INVALID when the length is not a multiple of 6 or the indices do not rise.
 */
export function decodeSparse(bytes: Uint8Array): SparseRow {
  const count = bytes.length / 6;
  if (!Number.isInteger(count)) throw new SluiceError('SLUICE_AVRO_INVALID', `a sparse row of ${bytes.length} bytes: not 6 per column`);
  const little = bigEndian ? swap(Buffer.from(bytes), count) : bytes;
  const indices = new Uint16Array(count);
  bytesOf(indices).set(little.subarray(0, count * 2));
  const values = new Float32Array(count);
  bytesOf(values).set(little.subarray(count * 2));
  for (let i = 1; i < count; i++) {
    if (indices[i]! <= indices[i - 1]!) throw new SluiceError('SLUICE_AVRO_INVALID', `the columns of a sparse row do not rise at ${i}`);
  }
  return { indices, values };
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

function swap(bytes: Buffer, count: number): Buffer {
  bytes.subarray(0, count * 2).swap16();
  bytes.subarray(count * 2).swap32();
  return bytes;
}
