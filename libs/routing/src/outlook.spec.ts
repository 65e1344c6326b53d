import fc from 'fast-check';
import { escalationChance, residualHarm } from './outlook.ts';

const harm = fc.double({ min: 2e-4, max: 1, noNaN: true });
const bar = fc.double({ min: 0, max: 10, noNaN: true });

/** Midpoint sum of the part of a Weibull(shape 1/2, mean `mean`) below `upTo`, in the variable u = sqrt(2 g / mean). */
function numericResidual(mean: number, upTo: number): number {
  const steps = 20_000;
  const end = Math.sqrt((2 * upTo) / mean);
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const u = ((i + 0.5) * end) / steps;
    sum += ((mean * u * u) / 2) * Math.exp(-u) * (end / steps);
  }
  return sum;
}

describe('what is expected of a tier before it runs', () => {
  it.each([
    [0.16, 0.02],
    [0.01, 0.02],
    [0.5, 0.001],
  ])('is the integral of the assumed law: harm %d, bar %d', (mean, upTo) => {
    expect(residualHarm(mean, upTo)).toBeCloseTo(numericResidual(mean, upTo), 8);
  });

  it('lies between nothing and everything', () => {
    fc.assert(
      fc.property(harm, bar, (g, b) => {
        expect(escalationChance(g, b)).toBeGreaterThanOrEqual(0);
        expect(escalationChance(g, b)).toBeLessThanOrEqual(1);
        expect(residualHarm(g, b)).toBeGreaterThanOrEqual(-1e-15);
        expect(residualHarm(g, b)).toBeLessThanOrEqual(g + 1e-12);
      }),
    );
  });

  it('lets all harm through where there is nowhere to go, and none where nothing is accepted', () => {
    expect(residualHarm(0.3, Infinity)).toBe(0.3);
    expect(escalationChance(0.3, Infinity)).toBe(0);
    expect(residualHarm(0.3, 0)).toBe(0);
    expect(escalationChance(0.3, 0)).toBe(1);
  });
});
