import { murmur3 } from '@sluice/domain';
import fc from 'fast-check';
import { hashText } from './text-hash.ts';

const hash = (text: string, buckets = 64, ngrams = 1): Float32Array => {
  const bytes = Buffer.from(text);
  const row = new Float32Array(buckets);
  hashText({ bytes, start: 0, end: bytes.length }, { buckets, ngrams, seed: 0 }, { row, at: 0 });
  return row;
};

/** The same features by way of strings and maps: slow, and written from the definition. */
function oracle(text: string, buckets: number): number[] {
  const counts = new Array<number>(buckets).fill(0);
  for (const word of text.toLowerCase().match(/[a-z0-9$!'-]+/g) ?? []) {
    const h = murmur3(Buffer.from(word.slice(0, 40)), 0);
    counts[(h & 0x7fffffff) % buckets]! += h >= 0x80000000 ? -1 : 1;
  }
  const weights = counts.map((count) => Math.sign(count) * Math.log1p(Math.abs(count)));
  const norm = Math.hypot(...weights);
  return weights.map((weight) => (norm === 0 ? 0 : weight / norm));
}

describe('hashed text', () => {
  it('is the signed, damped, normalised bag of its lower-cased words', () => {
    const words = fc.array(fc.constantFrom('Free', 'MONEY!!', "don't", 'a', '$100', 'x-y', 'the', 'z'.repeat(50)), { maxLength: 40 });
    fc.assert(
      fc.property(words, fc.constantFrom(' ', '\n', ', ', '.'), fc.integer({ min: 2, max: 40 }), (list, gap, buckets) => {
        const row = hash(list.join(gap), buckets);
        oracle(list.join(gap), buckets).forEach((weight, i) => expect(row[i]).toBeCloseTo(weight, 6));
      }),
    );
  });

  it('has unit length, or is empty without a word', () => {
    expect(Math.hypot(...hash('one two two three'))).toBeCloseTo(1, 6);
    expect(hash(' .,;:?() ')).toEqual(new Float32Array(64));
    expect(hash('')).toEqual(new Float32Array(64));
  });

  it('takes words of any alphabet, and does not fold their case', () => {
    expect(hash('привет')).not.toEqual(new Float32Array(64));
    expect(hash('привет, мир', 4096)).toEqual(hash('привет мир', 4096));
  });

  it('sees the order of words only with ngrams 2', () => {
    expect(hash('not good', 4096)).toEqual(hash('good not', 4096));
    expect(hash('not good', 4096, 2)).not.toEqual(hash('good not', 4096, 2));
    expect(hash('word', 4096, 2)).toEqual(hash('word', 4096, 1));
  });

  it('stays within its range of text and its columns of the row', () => {
    const bytes = Buffer.from('secret inside secret');
    const row = new Float32Array(96);
    hashText({ bytes, start: 7, end: 13 }, { buckets: 32, ngrams: 1, seed: 0 }, { row, at: 32 });
    expect(row.subarray(32, 64)).toEqual(hash('inside', 32));
    expect([...row.subarray(0, 32), ...row.subarray(64)].every((value) => value === 0)).toBe(true);
  });
});
