import { readAnswer } from './answer.ts';

const whose = { tier: 'fast', model: 'm', version: '1.0.0', labels: 3 };

describe('an answer', () => {
  it('is read from a row of outputs', () => {
    const answer = readAnswer(Float32Array.of(9, 9, 0.25, 0.5, 0.25), 2, whose);
    expect(answer).toEqual({
      tier: 'fast',
      model: 'm',
      version: '1.0.0',
      label: 1,
      confidence: 0.5,
      margin: 0.25,
      entropy: 1.5 * Math.LN2,
    });
  });

  it('takes the first of equal outputs, and knows certainty', () => {
    expect(readAnswer(Float32Array.of(0.4, 0.4, 0.2), 0, whose)).toMatchObject({ label: 0, margin: 0 });
    expect(readAnswer(Float32Array.of(0, 1, 0), 0, whose)).toMatchObject({ label: 1, confidence: 1, margin: 1, entropy: 0 });
  });

  it.each([
    ['NaN', [Number.NaN, 0.5, 0.5], 'output 0 is NaN'],
    ['infinite', [0.5, Infinity, 0.5], 'add up to Infinity'],
    ['negative', [0.5, 1, -0.5], 'output 2 is -0.5'],
    ['not a distribution', [0.5, 0.5, 0.5], 'add up to 1.5'],
    ['too short', [0.5, 0.5], 'output 2 is NaN'],
  ])('is refused when the outputs are %s', (_, scores, said) => {
    expect(readAnswer(Float32Array.from(scores), 0, whose)).toContain(said);
  });
});
