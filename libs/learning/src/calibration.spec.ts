import { Calibration } from './calibration.ts';
import { flowOf } from './testing/fixtures.ts';

const flow = flowOf({ tiers: ['fast', 'heavy'].map((name) => ({ name, model: name })) });

/** 2,000 events of a predicted harm of 0.1 to 10 %, of which one in `every` happens. */
function sampled(every: number): Calibration {
  const calibration = new Calibration([0.1, 1]);
  const open = Array.from({ length: 100 }, () => 0);
  for (let event = 0; event < 2000; event++) {
    const kind = (37 * event) % 100;
    const harm = (1 + kind) / 1000;
    open[kind]! += harm / every;
    const harmed = open[kind]! >= 0.5;
    if (harmed) open[kind]! -= 1;
    calibration.add({ route: [harm], stop: [harm], harmed: [harmed], weight: 1 });
  }
  return calibration;
}

describe('the threshold of a labelled sample', () => {
  const borneOut = (every: number): number => sampled(every).theta(flow, 0.01, 'borne-out')!;
  const predicted = sampled(1).theta(flow, 0.01, 'predicted')!;

  it('is higher than predictions say where half of them come true, and lower where twice as many do', () => {
    expect(borneOut(2)).toBeGreaterThan(predicted);
    expect(borneOut(0.5)).toBeLessThan(predicted);
  });
});
