import fc from 'fast-check';
import { decodeSparse, decodeVector, encodeSparse, encodeVector, SparseScratch } from './sparse.ts';

const rows = fc.float32Array({ maxLength: 200 });

describe('a sparse row', () => {
  it('holds the columns that are not 0, and gives the dense row back after a trip through bytes', () => {
    fc.assert(
      fc.property(rows, (row) => {
        const scratch = new SparseScratch(row.length);
        scratch.dense.set(row);
        const sparse = decodeSparse(encodeSparse(scratch.take()));
        const dense = new Float32Array(row.length);
        sparse.indices.forEach((column, i) => (dense[column] = sparse.values[i]!));
        expect(dense).toEqual(row.map((value) => (value === 0 ? 0 : value)));
        expect(sparse.values.every((value) => value !== 0)).toBe(true);
      }),
    );
  });

  it('does not remember what was taken before', () => {
    const scratch = new SparseScratch(5);
    for (const row of [
      [1, 2, 3, 4, 5],
      [-0, 0, 7, 0, 1e-45],
    ]) {
      scratch.dense.set(row);
      scratch.take();
    }
    expect(scratch.take()).toEqual({ indices: Uint16Array.of(2, 4), values: Float32Array.of(7, 1e-45) });
  });

  it('lies in memory of its own and at any offset of a buffer', () => {
    const bytes = encodeSparse({ indices: Uint16Array.of(1, 258), values: Float32Array.of(0.5, -2) });
    expect(bytes.toString('hex')).toBe('01000201' + '0000003f' + '000000c0');
    const slab = Buffer.concat([Buffer.of(9), bytes]);
    const row = decodeSparse(slab.subarray(1));
    slab.fill(0);
    expect(row).toEqual({ indices: Uint16Array.of(1, 258), values: Float32Array.of(0.5, -2) });
  });

  it.each([
    ['a length that is no multiple of 6', Buffer.alloc(7)],
    ['columns that do not rise', encodeSparse({ indices: Uint16Array.of(2, 2), values: Float32Array.of(1, 1) })],
  ])('is refused for %s', (_, bytes) => {
    expect(() => decodeSparse(bytes)).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
  });
});

describe('a vector', () => {
  it('survives bytes bit for bit', () => {
    fc.assert(fc.property(rows, (row) => expect(decodeVector(encodeVector(row))).toEqual(row)));
  });

  it('is refused when a weight is cut off', () => {
    expect(() => decodeVector(Buffer.alloc(6))).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
  });
});
