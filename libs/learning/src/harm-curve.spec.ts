import { ByteReader, ByteWriter } from './bytes.ts';
import { HarmCurve, triedThresholds } from './harm-curve.ts';

/** As much harm as the threshold: 1 at the top, a tenth at ln 0.1. */
const proportional = triedThresholds.map(Math.exp);

describe('HarmCurve', () => {
  it('finds the threshold at which the target is predicted, between those that were tried', () => {
    const curve = new HarmCurve();
    for (let event = 0; event < 100; event++) curve.add(proportional, 1);
    const found = curve.threshold(0.1)!;
    expect(found).toBeGreaterThan(-2.5);
    expect(found).toBeLessThan(-2);
    expect(curve.threshold(1)).toBe(0);
    expect(curve.threshold(0)).toBe(triedThresholds.at(-1));
  });

  it('counts an event as often as it stands for', () => {
    const curve = new HarmCurve();
    curve.add(proportional, 1);
    curve.add(
      triedThresholds.map(() => 0),
      9,
    );
    expect(curve.threshold(0.1)!).toBeCloseTo(0, 2);
  });

  it('knows nothing before the first event, and after a restart all that it knew', () => {
    const curve = new HarmCurve();
    expect(curve.threshold(0.1)).toBeUndefined();
    curve.add(proportional, 3);
    const bytes = new ByteWriter();
    curve.write(bytes);
    const restored = new HarmCurve();
    restored.read(new ByteReader(bytes.done()));
    expect(restored.threshold(0.02)).toBe(curve.threshold(0.02));
  });
});
