/**
 * MurmurHash3 x86 32-bit (Austin Appleby, public domain algorithm) over bytes.
 *
 * Used for feature hashing and for keyed draws; Kafka's partitioner uses murmur2, which lives in `@sluice/streaming`.
 */
// eslint-disable-next-line max-params -- called per word of a text: a range object would be garbage per call
export function murmur3(bytes: Uint8Array, seed: number, start = 0, end = bytes.length): number {
  let h = seed | 0;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    h ^= scramble(k);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let j = end - 1; j >= i; j--) tail = (tail << 8) | bytes[j]!;
  h ^= scramble(tail);
  return finalise(h ^ (end - start));
}

/**
 * A number in [0, 1) that depends only on `text` and `key`: 53 bits from two keyed hashes.
 * @param more what follows the text; given apart, the two need not be joined before.
 */
export function keyedUniform(text: string, key: number, more = ''): number {
  // UTF-8 takes at most three bytes for a unit of UTF-16; what surely fits takes no memory of its own.
  const fits = (text.length + more.length) * 3 <= scratch.length;
  const bytes = fits ? scratch : Buffer.from(text + more);
  const end = fits ? write(more, write(text, 0)) : bytes.length;
  const high = murmur3(bytes, key, 0, end) >>> 5;
  const low = murmur3(bytes, key ^ 0x9e3779b9, 0, end) >>> 6;
  return (high * 67108864 + low) / 9007199254740992;
}

function write(text: string, at: number): number {
  return at + scratch.write(text, at);
}

const scratch = Buffer.allocUnsafeSlow(1024);

function scramble(k: number): number {
  k = Math.imul(k, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  return Math.imul(k, 0x1b873593);
}

function finalise(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
