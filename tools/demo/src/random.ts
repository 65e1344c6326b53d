/**
 * A seeded stream of random numbers (xoshiro128**, Blackman and Vigna 2018). Everything drawn for the demo comes from here,
 * so that the same seed makes the same weights, the same stream and the same delays on every machine.
 */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number, stream = '') {
    const state = new Uint32Array(4);
    let word = seed >>> 0;
    for (const letter of stream) word = (Math.imul(word ^ letter.codePointAt(0)!, 0x01000193) + 0x9e3779b9) >>> 0;
    for (let i = 0; i < 4; i++) {
      word = (word + 0x9e3779b9) >>> 0;
      state[i] = mix(word);
    }
    this.#state = state;
  }

  /** An integer in [0, 2^32). */
  word(): number {
    const s = this.#state;
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const carry = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= carry;
    s[3] = rotate(s[3]!, 11);
    return result;
  }

  /** A number in [0, 1). */
  uniform(): number {
    return this.word() / 4294967296;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Exponentially distributed with the given mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  /** A permutation of 0..count-1 (Fisher and Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, index) => index);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }
}

function rotate(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0;
}

/** The finaliser of MurmurHash3: spreads a counter over all 32 bits. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
