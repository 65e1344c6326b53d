import fc from 'fast-check';
import { harmFloor, headOf, headRow, headWidth, priorHarm, scoreHead, stopColumnNames, stopColumns } from './heads.ts';
import { biasOnly, constantHead, sampleAnswer, samplePolicy, signatureWidth } from './testing/sample.ts';

describe('the row a head scores', () => {
  it('is the signature itself before the tier ran', () => {
    expect(headRow(biasOnly, undefined, signatureWidth, 3)).toBe(biasOnly);
    expect(headWidth(signatureWidth, 3, 'route')).toBe(4);
  });

  it('has the answer after the signature once the tier ran', () => {
    const answer = sampleAnswer('fast', { label: 2, confidence: 0.99, margin: 0.98, entropy: Math.log(3) / 2 });
    const row = headRow(biasOnly, answer, signatureWidth, 3);
    expect([...row.indices]).toEqual([0, 4, 5, 6, 7, 10]);
    const [bias, confidence, margin, entropy, logOdds, label] = [...row.values];
    expect([bias, label]).toEqual([1, 1]);
    expect(confidence).toBeCloseTo(0.99, 6);
    expect(margin).toBeCloseTo(0.98, 6);
    expect(entropy).toBeCloseTo(0.5, 6);
    expect(logOdds).toBeCloseTo(4.59512 / 4.6, 5);
    expect(headWidth(signatureWidth, 3, 'stop')).toBe(4 + stopColumns(3));
    expect(stopColumnNames(['a', 'b', 'c'])).toHaveLength(stopColumns(3));
  });

  it('keeps a saturated softmax finite and leaves out a label the flow does not have', () => {
    const row = headRow(biasOnly, sampleAnswer('fast', { confidence: 1, label: 9 }), signatureWidth, 3);
    expect([...row.indices]).toEqual([0, 4, 5, 6, 7]);
    expect(row.values[4]).toBeCloseTo(Math.log(9999) / 4.6, 5);
  });
});

describe('a head', () => {
  it('is the logistic of weights times row', () => {
    expect(scoreHead(constantHead('fast', 'route', 0.3), biasOnly)).toBeCloseTo(0.3, 6);
  });

  it('claims a harm between the floor and 1 for any weights and rows', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 4, maxLength: 4 }), fc.float32Array({ minLength: 4, maxLength: 4 }), (weights, values) => {
        const harm = scoreHead({ tier: 'fast', stage: 'route', weights }, { indices: Uint16Array.of(0, 1, 2, 3), values });
        expect(harm).toBeGreaterThanOrEqual(harmFloor);
        expect(harm).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    ['missing', undefined],
    ['narrower than the row', { tier: 'fast', stage: 'route', weights: new Float32Array(0) } as const],
    ['broken', { tier: 'fast', stage: 'route', weights: Float32Array.of(NaN) } as const],
  ])('that is %s counts as knowing nothing', (_, head) => {
    expect(scoreHead(head, biasOnly)).toBe(priorHarm);
  });

  it('of another width than the flow now has is not used', () => {
    const policy = samplePolicy({ fast: [0.1, 0.2] });
    expect(headOf(policy, 'fast', { stage: 'route', width: signatureWidth })).toBe(policy.heads[0]);
    expect(headOf(policy, 'fast', { stage: 'route', width: signatureWidth - 1 })).toBeUndefined();
    expect(headOf(policy, 'standard', { stage: 'route', width: signatureWidth })).toBeUndefined();
  });
});
