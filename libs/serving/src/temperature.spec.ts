import fc from 'fast-check';
import { fitTemperature, logLoss, soften } from './temperature.ts';

/** Softmax of logits over two labels. */
const softmax = (logit: number): [number, number] => [1 / (1 + Math.exp(-logit)), 1 / (1 + Math.exp(logit))];

describe('a temperature', () => {
  it('divides the logits, keeps the order, and leaves rows that failed as they are', () => {
    fc.assert(
      fc.property(fc.double({ min: -8, max: 8, noNaN: true }), fc.double({ min: 0.2, max: 5, noNaN: true }), (logit, temperature) => {
        const scores = Float32Array.of(...softmax(logit), 0, 0);
        soften(scores, 2, temperature);
        expect(scores[0]).toBeCloseTo(softmax(logit / temperature)[0], 4);
        expect([...scores.subarray(2)]).toEqual([0, 0]);
      }),
    );
  });

  it('is found again where a model is surer than it is right', () => {
    // 100 rows for each logit; as many of them are true as its third says: the model is three times too sure.
    const logits = [-6, -3, -1, 1, 3, 6].flatMap((logit) => new Array<number>(100).fill(logit));
    const truths = logits.map((logit, i) => (i % 100 < 100 * softmax(logit / 3)[0] ? 0 : 1));
    const labelled = { scores: Float32Array.from(logits.flatMap(softmax)), truths, labels: 2 };
    const temperature = fitTemperature(labelled);
    expect(temperature).toBeGreaterThan(2.7);
    expect(temperature).toBeLessThan(3.3);
    expect(logLoss(labelled, temperature)).toBeLessThan(logLoss(labelled, 1));
  });
});
