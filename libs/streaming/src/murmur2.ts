const M = 0x5bd1e995;
const SEED = 0x9747b28c;

/** The 32-bit MurmurHash2 that Kafka's own clients partition by, as a signed integer (Java: `Utils.murmur2`). */
export function murmur2(data: Uint8Array): number {
  const { length } = data;
  let h = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let k = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length - at;
  if (rest > 0) {
    if (rest === 3) h ^= data[at + 2]! << 16;
    if (rest >= 2) h ^= data[at + 1]! << 8;
    h = Math.imul(h ^ data[at]!, M);
  }
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** The partition a key belongs to: the same one that the Java client's default partitioner takes. */
export function partitionFor(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}
