import fc from 'fast-check';
import { safeEnd } from './loss-bound.ts';
import { RiskController, thetaStart } from './risk-controller.ts';

const target = { epsilon: 0.01, eta: 0.03 };

/** What theta adds to ln tau once it has moved to `theta`. */
function swingAt(theta: number): number {
  const controller = new RiskController(target);
  controller.correct((controller.start - theta) / target.eta);
  return controller.swing;
}

describe('the swing of the threshold', () => {
  it('follows theta upwards by less than its way, and downwards by more, where it began', () => {
    const start = thetaStart(target.epsilon);
    expect(swingAt(start)).toBeCloseTo(0, 9);
    expect(swingAt(start + 0.01) / 0.01).toBeCloseTo(0.6, 2);
    expect(swingAt(start - 0.01) / -0.01).toBeCloseTo(1.5, 2);
  });

  it('is all of the way at both ends', () => {
    const start = thetaStart(target.epsilon);
    expect(swingAt(0)).toBeCloseTo(-start, 9);
    expect(swingAt(safeEnd)).toBeCloseTo(safeEnd - start, 9);
  });

  it('never falls while theta rises', () => {
    const theta = fc.double({ min: 4 * safeEnd, max: 0, noNaN: true });
    fc.assert(
      fc.property(theta, theta, (one, other) => {
        const [lower, upper] = [Math.min(one, other), Math.max(one, other)];
        expect(swingAt(lower)).toBeLessThanOrEqual(swingAt(upper) + 1e-9);
      }),
    );
  });
});
