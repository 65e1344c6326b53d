import fc from 'fast-check';
import { keyedUniform, murmur3 } from './hash.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('murmur3', () => {
  // Verification values of the reference implementation (smhasher) for seed 0 and others.
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['test', 0, 0xba6bd213],
    ['Hello, world!', 0, 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ])('hashes %j with seed %d as published', (text, seed, expected) => {
    expect(murmur3(bytes(text), seed)).toBe(expected);
  });

  it('hashes a range as it hashes a copy of the range', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), fc.nat(64), (data, a, b) => {
        const start = Math.min(a, data.length);
        const end = Math.min(start + b, data.length);
        expect(murmur3(data, 7, start, end)).toBe(murmur3(data.slice(start, end), 7));
      }),
    );
  });
});

describe('keyedUniform', () => {
  it('is even over ids: each decile gets a tenth', () => {
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[Math.floor(keyedUniform(`mail.requests/0/${i}`, 5) * 10)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('draws anew for another key', () => {
    expect(keyedUniform('a', 1)).not.toBe(keyedUniform('a', 2));
    expect(keyedUniform('a', 1)).toBe(keyedUniform('a', 1));
  });
});

it('a draw is the same for texts that fit the scratch memory and for those that do not, of any script', () => {
  const plain = (text: string, key: number): number => {
    const bytes = Buffer.from(text);
    return ((murmur3(bytes, key) >>> 5) * 67108864 + (murmur3(bytes, key ^ 0x9e3779b9) >>> 6)) / 9007199254740992;
  };
  for (const text of ['', 'a', '\ud83d', 'ü'.repeat(341), '日'.repeat(341), '日'.repeat(342), '💥'.repeat(1000)]) {
    expect(keyedUniform(text, 7)).toBe(plain(text, 7));
    expect(keyedUniform(text, 7, '@12')).toBe(plain(`${text}@12`, 7));
  }
});
