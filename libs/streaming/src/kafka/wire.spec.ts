import fc from 'fast-check';
import { rounds, type Place } from './wire.ts';

const place = (partition: number, bytes: number): Place => ({ topic: 't', partition, key: null, value: Buffer.alloc(bytes) });

describe('rounds', () => {
  it('keep every record and the order of each partition, and no batch exceeds what a broker takes', () => {
    const sizes = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 400_000 })), { maxLength: 30 });
    fc.assert(
      fc.property(sizes, (records) => {
        const placed = records.map(([partition, bytes]) => place(partition, bytes));
        const split = rounds(placed);
        for (const partition of [0, 1, 2]) {
          const of = (list: readonly Place[]) => list.filter((record) => record.partition === partition);
          expect(of(split.flat())).toEqual(of(placed));
          for (const round of split) expect(of(round).reduce((sum, { value }) => sum + value!.length, 0)).toBeLessThan(1 << 20);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('give a record that is too large by itself a request of its own', () => {
    expect(rounds([place(0, 10), place(0, 2 << 20), place(0, 10)]).map((round) => round.length)).toEqual([1, 1, 1]);
  });
});
