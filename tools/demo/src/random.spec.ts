import { Random } from './random.ts';

describe('Random', () => {
  it('gives the same stream for the same seed and another for another seed or name', () => {
    const draw = (random: Random): number[] => Array.from({ length: 5 }, () => random.word());
    expect(draw(new Random(1, 'a'))).toEqual(draw(new Random(1, 'a')));
    expect(draw(new Random(1, 'a'))).not.toEqual(draw(new Random(2, 'a')));
    expect(draw(new Random(1, 'a'))).not.toEqual(draw(new Random(1, 'b')));
  });

  it('draws uniformly: mean 1/2, variance 1/12', () => {
    const random = new Random(7);
    const draws = Array.from({ length: 20_000 }, () => random.uniform());
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    expect(mean).toBeCloseTo(0.5, 1.7);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  it('permutes: every index once, not in order', () => {
    const order = [...new Random(3).permutation(100)];
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
  });
});
