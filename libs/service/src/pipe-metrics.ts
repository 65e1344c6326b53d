import type { Metrics } from './metrics.ts';

/** What a pipe counts; `PipeStats` of the streaming lib has it. */
export interface PipeFigures {
  readonly records: number;
  readonly outputs: number;
  readonly deadLetters: number;
  readonly expired: number;
  readonly transactions: number;
  readonly aborts: number;
  readonly assigned: number;
  /** performance.now() of the last commit. */
  readonly lastProgress: number;
}

const table: readonly (readonly [string, string, (figures: PipeFigures) => number])[] = [
  ['sluice_pipe_records_total', 'Records whose offsets were committed.', ({ records }) => records],
  ['sluice_pipe_outputs_total', 'Records written.', ({ outputs }) => outputs],
  ['sluice_pipe_dead_letters_total', 'Records put aside because processing them kept failing.', ({ deadLetters }) => deadLetters],
  ['sluice_pipe_expired_total', 'Offsets that retention took before they were read.', ({ expired }) => expired],
  ['sluice_pipe_transactions_total', 'Slices committed.', ({ transactions }) => transactions],
  ['sluice_pipe_aborts_total', 'Slices that failed and were read again.', ({ aborts }) => aborts],
  ['sluice_pipe_partitions', 'Partitions assigned to this process.', ({ assigned }) => assigned],
  [
    'sluice_pipe_since_progress_seconds',
    'Time since the last commit; says nothing while there is nothing to do.',
    ({ lastProgress }) => (performance.now() - lastProgress) / 1000,
  ],
];

/** Registers the figures of every pipe of an app under the label `pipe`. */
export function observePipes(metrics: Metrics, pipes: Readonly<Record<string, { readonly stats: PipeFigures }>>): void {
  for (const [name, help, read] of table) {
    const samples = () => Object.entries(pipes).map(([pipe, { stats }]) => ({ labels: { pipe }, value: read(stats) }));
    metrics.observe({ name, help, labels: ['pipe'] }, samples);
  }
}
