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
  const skipped = (fullName: string) => ({ ...file('a.spec.ts', 'passed'), assertionResults: [{ status: 'pending', fullName }] });

  it('names a skipped test with what it needs', () => {
    expect(leftOut({ testResults: [skipped('a model answers (needs the native binding: npm run setup:native)')] })).toEqual([
      '/repo/a.spec.ts: "a model answers": needs the native binding: npm run setup:native',
    ]);
  });

  it('says so of one that gives no reason', () => {
    expect(leftOut({ testResults: [skipped('test 1')] })).toEqual(['/repo/a.spec.ts: "test 1": skipped by itself, no reason given']);
  });

  it('is empty when everything ran', () => {
    expect(leftOut({ testResults: [file('a.spec.ts', 'passed', 'failed')] })).toEqual([]);
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
