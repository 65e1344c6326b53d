import { drilledLabel } from './drill.ts';

const drill = { rate: 0.25, fromSequence: 1000, key: 7 };

describe('the wrong-answers drill', () => {
  it('leaves events before its start alone', () => {
    for (let i = 0; i < 1000; i++) expect(drilledLabel(`mail-${i}`, 3, { drill, labels: 10 })).toBe(3);
  });

  it('changes a quarter of the labels afterwards, to labels of the flow', () => {
    const labels = Array.from({ length: 10_000 }, (_, i) => drilledLabel(`mail-${1000 + i}`, 3, { drill, labels: 10 }));
    const wrong = labels.filter((label) => label !== 3).length / labels.length;
    expect(Math.max(...labels)).toBeLessThan(10);
    expect(wrong).toBeGreaterThan(0.23);
    expect(wrong).toBeLessThan(0.27);
  });

  it('does the same to the same event again', () => {
    expect(drilledLabel('mail-5000', 0, { drill, labels: 2 })).toBe(drilledLabel('mail-5000', 0, { drill, labels: 2 }));
  });
});
