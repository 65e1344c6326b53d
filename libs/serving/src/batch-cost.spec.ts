import fc from 'fast-check';
import { BatchCost } from './batch-cost.ts';

describe('the learned batch time', () => {
  it('finds base and time per row from batches of many sizes', () => {
    fc.assert(
      fc.property(fc.double({ min: 5, max: 2000, noNaN: true }), fc.double({ min: 0.1, max: 1500, noNaN: true }), (base, perRow) => {
        const cost = new BatchCost();
        for (let i = 0; i < 200; i++) cost.observe(1 + ((i * 37) % 128), base + perRow * (1 + ((i * 37) % 128)));
        const { fit } = cost;
        for (const n of [1, 32, 128])
          expect(Math.abs(fit.base + fit.perRow * n - (base + perRow * n)) / (base + perRow * n)).toBeLessThan(0.02);
      }),
    );
  });

  it('keeps its head when all batches have the same size for a long time, and learns anew when they change', () => {
    const cost = new BatchCost([
      { n: 1, micros: 101 },
      { n: 128, micros: 228 },
    ]);
    for (let i = 0; i < 20_000; i++) cost.observe(128, 328 + (i % 7));
    expect(cost.fit.base + cost.fit.perRow * 128).toBeCloseTo(331, -1);
    expect(cost.fit.base).toBeGreaterThan(50);
    expect(cost.fit.base).toBeLessThan(200);
    for (let i = 0; i < 400; i++) cost.observe(1 + (i % 128), 200 + 2 * (1 + (i % 128)));
    expect(cost.fit.base).toBeCloseTo(200, -1);
    expect(cost.fit.perRow).toBeCloseTo(2, 0);
  });

  it('is moved little by one batch that met a busy machine', () => {
    const cost = new BatchCost();
    for (let i = 0; i < 100; i++) cost.observe(1 + (i % 128), 100 + (1 + (i % 128)) + (i % 5));
    const before = cost.fit;
    cost.observe(32, 1_000_000);
    expect(cost.fit.base).toBeLessThan(before.base * 1.5);
  });

  it.each([
    ['a model whose call costs more than 128 rows: full batches', 27, 0.04, 128],
    ['the small CNN: 25 would do, and 32 take no harmful time', 84 - 15, 65, 32],
    ['the deeper CNN: as many as take 10 ms', 221 - 15, 1525, 6],
    ['a model that takes 10 ms a row: one row', 100, 10_000, 1],
  ])('makes batches for %s', (_, base, perRow, size) => {
    const cost = new BatchCost();
    for (let i = 0; i < 300; i++) cost.observe(1 + (i % 128), base + perRow * (1 + (i % 128)));
    expect(cost.batchSize(128, 15)).toBe(size);
  });
});
