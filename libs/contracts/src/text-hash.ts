import { murmur3 } from '@sluice/domain';

/** Longer words are hashed by their first bytes: what is longer is encoded data, not language. */
const longestWord = 40;
const word = new Uint8Array(longestWord);

/** Byte of the lower-cased word, or 0 between words. Letters, digits, `$ ! ' -`, and every byte of a non-ASCII character. */
const folded = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return byte >= 0x80 || /[A-Za-z0-9$!'-]/.test(character) ? character.toLowerCase().charCodeAt(0) & 0xff : 0;
});
for (let byte = 0x80; byte < 0x100; byte++) folded[byte] = byte;

export interface TextRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface TextHashing {
  /** Columns that the words share. */
  readonly buckets: number;
  /** 1: words; 2: words and pairs of neighbours. */
  readonly ngrams: number;
  /** Another seed spreads the same words another way. */
  readonly seed: number;
}

/** Columns the words go to: `row[at, at + buckets)`, zeros before. */
export interface HashTarget {
  readonly row: Float32Array;
  readonly at: number;
}

/**
 * Writes the hashed bag of words of UTF-8 text: signed counts (Weinberger et al. 2009, "Feature Hashing for Large Scale
 * Multitask Learning"), then `log(1 + count)`, then unit length. No string is made, and time does not grow with `buckets`.
 */
export function hashText({ bytes, start, end }: TextRange, { buckets, ngrams, seed }: TextHashing, target: HashTarget): void {
  touched.clear();
  let length = 0;
  let before = 0;
  for (let i = start; i <= end; i++) {
    const byte = i < end ? folded[bytes[i]!]! : 0;
    if (byte !== 0) {
      if (length < longestWord) word[length++] = byte;
      continue;
    }
    if (length === 0) continue;
    const hash = murmur3(word, seed, 0, length);
    count(target, hash, buckets);
    if (ngrams > 1 && before !== 0) count(target, mix(before, hash), buckets);
    before = hash;
    length = 0;
  }
  normalise(target);
}

/** The columns one text touched, each once, so that normalising need not look at all of them. */
class Touched {
  readonly columns = new Int32Array(65_536);
  readonly #stamps = new Uint32Array(65_536);
  #stamp = 0;
  size = 0;

  clear(): void {
    this.size = 0;
    if (this.#stamp === 0xffffffff) {
      this.#stamps.fill(0);
      this.#stamp = 0;
    }
    this.#stamp++;
  }

  add(bucket: number): void {
    if (this.#stamps[bucket] === this.#stamp) return;
    this.#stamps[bucket] = this.#stamp;
    this.columns[this.size++] = bucket;
  }
}

const touched = new Touched();

/** The sign comes from the bit that does not choose the column, so words that share a column cancel on average. */
function count({ row, at }: HashTarget, hash: number, buckets: number): void {
  const bucket = (hash & 0x7fffffff) % buckets;
  row[at + bucket]! += hash & 0x80000000 ? -1 : 1;
  touched.add(bucket);
}

/** Hash of an ordered pair of hashes (finaliser of MurmurHash3). */
function mix(first: number, second: number): number {
  let h = (Math.imul(first, 0x9e3779b1) + second) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const logarithms = Float64Array.from({ length: 256 }, (_, size) => Math.log1p(size));

function normalise({ row, at }: HashTarget): void {
  let squares = 0;
  for (let i = 0; i < touched.size; i++) {
    const column = at + touched.columns[i]!;
    const size = Math.abs(row[column]!);
    const weight = size < 256 ? logarithms[size]! : Math.log1p(size);
    squares += weight * weight;
    row[column] = row[column]! < 0 ? -weight : weight;
  }
  if (squares === 0) return;
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < touched.size; i++) row[at + touched.columns[i]!]! *= scale;
}
