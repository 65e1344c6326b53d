import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { murmur2, partitionFor } from './murmur2.ts';

describe('murmur2', () => {
  // The vectors of Apache Kafka's own UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %j as the Java client does', (text, expected) => {
    expect(murmur2(Buffer.from(text))).toBe(expected);
  });
});

describe('partitionFor', () => {
  it('agrees with the default partitioner of the client, which is tested against Java', () => {
    const partitioner = kafkajs.Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (bytes, count) => {
        const key = Buffer.from(bytes);
        const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 0 }));
        const expected = partitioner({ topic: 't', partitionMetadata: partitionMetadata as never, message: { key, value: null } });
        expect(partitionFor(key, count)).toBe(expected);
      }),
    );
  });
});
