import { Probation, watched, type Verdict } from './probation.ts';

/** Verdicts of calls a millisecond apart unless they say otherwise. */
const verdicts = (calls: readonly (readonly [rows: number, failed: number, rescued: number])[], step = 1): Verdict[] => {
  const probation = new Probation(0);
  return calls.map(([rows, failed, rescued], i) => probation.judge({ rows, failed, rescued }, (i + 1) * step));
};

describe('a version on probation', () => {
  it('is left after three calls with rows that only the one before could answer', () => {
    expect(verdicts([[9, 1, 1], [9, 0, 0], [9, 2, 1], [9, 0, 0], [1, 1, 1]])).toEqual(['watch', 'watch', 'watch', 'watch', 'leave']); // prettier-ignore
  });

  it('is left at once when it fails a whole call of eight rows', () => {
    expect(verdicts([[8, 8, 1]])).toEqual(['leave']);
    expect(verdicts([[7, 7, 7]])).toEqual(['watch']);
    expect(verdicts([[8, 7, 7]])).toEqual(['watch']);
  });

  it('is not blamed for rows that the one before cannot answer either', () => {
    expect(new Set(verdicts(Array.from({ length: 40 }, () => [20, 20, 0] as const)))).toEqual(new Set(['watch']));
  });

  it('is proven by its first calls, but not before some time has passed', () => {
    const clean = Array.from({ length: watched.calls + 5 }, () => [3, 0, 0] as const);
    expect(verdicts(clean).indexOf('proven')).toBe(-1);
    expect(verdicts(clean, watched.ms).indexOf('proven')).toBe(watched.calls - 1);
  });
});
