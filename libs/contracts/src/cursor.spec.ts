import fc from 'fast-check';
import { varint } from '../testing/plain-encoder.ts';
import { Cursor } from './cursor.ts';

const over = (bytes: Buffer, end = bytes.length): Cursor => {
  const cursor = new Cursor();
  cursor.reset(bytes, 0, end);
  return cursor;
};

describe('a cursor', () => {
  it('reads every 64-bit number, beyond 2^53 the nearest double', () => {
    const numbers = fc.oneof(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.bigInt({ min: -(1n << 54n), max: 1n << 54n }));
    fc.assert(
      fc.property(numbers, (value) => {
        const bytes = varint(value);
        const cursor = over(bytes);
        expect(cursor.varint()).toBe(Number(value));
        expect(cursor.at).toBe(bytes.length);
        const skipping = over(bytes);
        skipping.skipVarint();
        expect(skipping.at).toBe(bytes.length);
      }),
      { examples: [[0n], [-1n], [63n], [-64n], [64n], [(1n << 53n) - 1n], [-(1n << 63n)], [(1n << 63n) - 1n]] },
    );
  });

  it.each([
    ['eleven bytes', Buffer.from('ffffffffffffffffffff01', 'hex')],
    ['65 bits', Buffer.from('ffffffffffffffffff02', 'hex')],
  ])('refuses a number of %s', (_, bytes) => {
    expect(() => over(bytes).varint()).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
    expect(() => over(bytes).skipVarint()).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
  });

  it('never looks behind its end, even where the buffer goes on', () => {
    const bytes = Buffer.from('80808001000000000000000000', 'hex');
    const reads: ((cursor: Cursor) => unknown)[] = [
      (cursor) => cursor.varint(),
      (cursor) => cursor.skipVarint(),
      (cursor) => cursor.floats(new Float64Array(1), 0, 1),
      (cursor) => cursor.double(new Float64Array(1), 0),
      (cursor) => cursor.length(),
      (cursor) => cursor.skip(4),
    ];
    for (const read of reads) expect(() => read(over(bytes, 3))).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_TRUNCATED' }));
    expect(() => over(bytes, 0).boolean()).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_TRUNCATED' }));
    expect(() => over(bytes, 14)).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_TRUNCATED' }));
  });

  it('refuses a negative length and a boolean that is neither 0 nor 1', () => {
    expect(() => over(varint(-1n)).length()).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
    expect(() => over(Buffer.of(2)).boolean()).toThrow(expect.objectContaining({ code: 'SLUICE_AVRO_INVALID' }));
  });
});
