import { due, parseRate } from './pace.ts';
import { percentile } from './percentiles.ts';

describe('due', () => {
  it('sends the first event at once and the rest evenly', () => {
    expect(due(500, 0)).toBe(1);
    expect(due(500, 1000)).toBe(501);
  });

  it('knows no limit at the largest rate', () => {
    expect(due(parseRate('max'), 1)).toBe(Infinity);
  });

  it.each(['0', '-1', 'fast', ''])('refuses the rate %j', (text) => {
    expect(parseRate(text)).toBeNaN();
  });
});

describe('percentile', () => {
  it('is the nearest rank', () => {
    const values = [5, 1, 4, 2, 3];
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 0)]).toEqual([3, 5, 1]);
    expect(percentile([], 0.5)).toBe(0);
  });
});
