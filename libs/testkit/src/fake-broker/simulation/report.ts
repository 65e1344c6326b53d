import { describeFault } from './faults.ts';
import type { SeedResult } from './run-seed.ts';

/** What is wrong in a seed, what was done to it, and how to see it again. */
export function describeFailure(
  { seed, violations, faults, delivery, transactions }: SeedResult,
  { mutant }: { readonly mutant?: string | undefined },
): string {
  const flags = mutant === undefined ? '' : ` --mutant ${mutant}`;
  return [
    `seed ${seed} failed (${delivery}, transactions of version ${transactions}):`,
    ...violations.map((violation) => `  ${violation}`),
    'faults of this seed:',
    ...faults.map((fault) => `  ${describeFault(fault)}`),
    `replay: npm run sim -- --seed ${seed}${flags} --log`,
    '',
  ].join('\n');
}

export function summarise(results: readonly SeedResult[], { seconds, threads }: { seconds: number; threads: number }): string {
  const sum = (of: (result: SeedResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const recoveries = results.map(({ recovery }) => recovery).sort((a, b) => a - b);
  const at = (share: number) =>
    `${((recoveries[Math.min(recoveries.length - 1, Math.floor(share * recoveries.length))] ?? 0) / 1_000).toFixed(1)} s`;
  const newer = sum(({ transactions }) => (transactions === '2' ? 1 : 0));
  return [
    `${results.length} seeds, ${sum(({ violations }) => Math.min(1, violations.length))} failed: ${sum(({ sent }) => sent)} records, ${sum(({ faults }) => faults.length)} faults, ${sum(({ processFailures }) => processFailures.length)} processes gave up and were started again`,
    `transactions of version 2 in ${newer} seeds, of version 1 in ${results.length - newer}`,
    `everything committed after the last fault within: p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} (virtual time)`,
    `${seconds.toFixed(1)} s on ${threads} threads`,
  ].join('\n');
}
