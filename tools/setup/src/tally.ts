/** The part of Jest's JSON report that the tally reads. */
export interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    /** Why the file itself could not run; empty when it ran. */
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface SuiteOutcome {
  readonly name: string;
  readonly counts: Counts;
  readonly seconds: number;
  /** What did not run, each with its reason. */
  readonly notRun: readonly string[];
}

/** Counts tests; a file that could not run at all is one failure, whatever it holds. */
export function count(report: JestReport): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.length === 0) counts.failed += 1;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed += 1;
      else if (status === 'failed') counts.failed += 1;
      else counts.skipped += 1;
    }
  }
  return counts;
}

/** Tests that were left out although their suite ran. One that skips itself says in its name what it needs: `... (needs REASON)`. */
export function leftOut(report: JestReport): readonly string[] {
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => {
        const [, test, reason] = /^(.*) \((needs .*)\)$/.exec(fullName) ?? [undefined, fullName, 'skipped by itself, no reason given'];
        return `${name}: "${test}": ${reason}`;
      }),
  );
}

export function total(outcomes: readonly SuiteOutcome[]): Counts {
  const sum = (kind: keyof Counts): number => outcomes.reduce((all, { counts }) => all + counts[kind], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

export function renderCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The last lines of `npm test`; scripts read the very last one. */
export function renderSummary(outcomes: readonly SuiteOutcome[]): string {
  const width = Math.max(...outcomes.map(({ name }) => name.length));
  const lines = outcomes.map(({ name, counts, seconds }) => `${name.padEnd(width)}  ${renderCounts(counts)}  (${seconds.toFixed(0)} s)`);
  const notRun = outcomes.flatMap((outcome) => outcome.notRun.map((line) => `not run: ${outcome.name}: ${line}`));
  return ['', ...lines, ...notRun, renderCounts(total(outcomes))].join('\n');
}
