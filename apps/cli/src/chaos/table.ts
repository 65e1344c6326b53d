import type { CellResult } from './run-cell.ts';

const columns: readonly (readonly [string, (result: CellResult) => string | number])[] = [
  ['cell', ({ cell }) => cell],
  ['seed', ({ seed }) => seed],
  ['faults', ({ injected }) => injected.length],
  ['requests', ({ requests }) => requests],
  ['predictions', ({ predictions }) => predictions],
  ['dead letters', ({ deadLetters }) => deadLetters],
  ['drops', ({ drops }) => drops],
  ['lost', ({ lost }) => lost],
  ['doubled', ({ duplicated }) => duplicated],
  ['out of order', ({ orderViolations }) => orderViolations],
  ['restarts', ({ restarts }) => restarts],
  ['expired', ({ expired }) => expired],
  ['p99 before s', ({ p99Ms }) => seconds(p99Ms.calm)],
  ['p99 after s', ({ p99Ms }) => seconds(p99Ms.troubled)],
  ['recovery p50 s', ({ recoveryMs }) => seconds(recoveryMs.p50)],
  ['max s', ({ recoveryMs }) => seconds(recoveryMs.max)],
  ['silence s', ({ longestSilenceMs }) => seconds(longestSilenceMs)],
  ['stated s', ({ withinMs }) => seconds(withinMs)],
  ['took s', (result) => result.seconds],
  ['', ({ passed }) => (passed ? 'passed' : 'FAILED')],
];

/** A Markdown table, one row a cell. */
export function renderTable(results: readonly CellResult[]): string {
  const rows = [
    columns.map(([title]) => title),
    columns.map(() => '---'),
    ...results.map((result) => columns.map(([, of]) => String(of(result)))),
  ];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
