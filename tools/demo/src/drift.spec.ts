import { drilledLabel } from '@sluice/domain';
import { regressionOf } from './drift.ts';

describe('regressionOf', () => {
  const drill = regressionOf(20_000, 1);
  const answer = (sequence: number): number => drilledLabel(`images-1-${sequence}`, 3, { labels: 10, drill });

  it('leaves the first half alone', () => {
    for (let sequence = 0; sequence < 10_000; sequence += 7) expect(answer(sequence)).toBe(3);
  });

  it('makes a quarter of the later answers another valid label, the same one each time', () => {
    const later = Array.from({ length: 10_000 }, (_, i) => answer(10_000 + i));
    const wrong = later.filter((label) => label !== 3);
    expect(wrong.length / later.length).toBeCloseTo(0.25, 1.5);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...later)).toBeLessThan(10);
    expect(Array.from({ length: 10_000 }, (_, i) => answer(10_000 + i))).toEqual(later);
  });
});
