import { count, leftOut, renderSummary, type JestReport } from './tally.ts';

const file = (name: string, ...statuses: string[]) => ({
  name: `/repo/${name}`,
  message: '',
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status, index) => ({ status, fullName: `test ${index}` })),
});
const broken = { name: '/repo/broken.spec.ts', message: 'SyntaxError', status: 'failed', assertionResults: [] };

describe('count', () => {
  it('never counts a test that did not run as passed', () => {
    const report: JestReport = { testResults: [file('a.spec.ts', 'passed', 'pending', 'todo', 'disabled', 'failed')] };
    expect(count(report)).toEqual({ passed: 1, failed: 1, skipped: 3 });
  });

  it('counts a file that could not run as a failure', () => {
    expect(count({ testResults: [broken, file('a.spec.ts', 'passed')] })).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });
});

describe('leftOut', () => {
  it('names a file that skipped itself as a whole, with the reason it gave', () => {
    const reasons = new Map([['java.spec.ts', 'no Java 17 or later']]);
    expect(leftOut({ testResults: [file('java.spec.ts', 'pending', 'pending')] }, reasons)).toEqual([
      '/repo/java.spec.ts: no Java 17 or later',
    ]);
  });

  it('names a single skipped test', () => {
    const report = { testResults: [file('a.spec.ts', 'passed', 'pending')] };
    expect(leftOut(report, new Map())).toEqual(['/repo/a.spec.ts: "test 1": skipped by itself, no reason given']);
  });

  it('is empty when everything ran', () => {
    expect(leftOut({ testResults: [file('a.spec.ts', 'passed', 'failed')] }, new Map())).toEqual([]);
  });
});

describe('renderSummary', () => {
  it('ends with one line of all counts, after the suites and what did not run', () => {
    const outcomes = [
      { name: 'unit', counts: { passed: 10, failed: 1, skipped: 0 }, seconds: 12.4, notRun: [] },
      { name: 'container', counts: { passed: 0, failed: 0, skipped: 7 }, seconds: 3, notRun: ['no container engine answers'] },
    ];
    expect(renderSummary(outcomes).split('\n')).toEqual([
      '',
      'unit       10 passed, 1 failed, 0 skipped  (12 s)',
      'container  0 passed, 0 failed, 7 skipped  (3 s)',
      'not run: container: no container engine answers',
      '10 passed, 1 failed, 7 skipped',
    ]);
  });
});
