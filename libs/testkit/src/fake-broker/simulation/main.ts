/**
 * `npm run sim`: the pipe on a fake broker in virtual time, seed by seed.
 *
 *     npm run sim -- --seeds 2000             seeds 1 to 2,000
 *     npm run sim -- --seed 505 --log         one seed, told line by line
 *     npm run sim -- --seeds 300 --mutant leak
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { mutants } from './mutants.ts';
import { playSeeds } from './pool.ts';
import { describeFailure, summarise } from './report.ts';
import type { SeedResult } from './run-seed.ts';

const list = (table: typeof mutants) => Object.entries(table).map(([name, { about }]) => `                   ${name}: ${about}`).join('\n'); // prettier-ignore

const help = `npm run sim -- [--seeds N] [--seed S] [--threads N] [--mutant NAME] [--keep-going] [--json] [--log]
  --seeds N      how many seeds; left out: 1 with --seed, else 2000
  --seed S       the first seed; left out: 1
  --threads N    left out: one per core
  --mutant NAME  play a program with a known defect, stop at the first seed that shows it
${list(mutants)}
  --keep-going   go on after a seed that failed
  --json         one line of JSON per seed
  --log          tell what happens in each seed`; // prettier-ignore

const { values } = parseArgs({
  options: {
    ...{ seeds: { type: 'string' }, seed: { type: 'string' }, threads: { type: 'string' }, mutant: { type: 'string' } },
    ...{
      'keep-going': { type: 'boolean' },
      json: { type: 'boolean' },
      log: { type: 'boolean' },
    },
    help: { type: 'boolean' },
  },
});

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const first = Number(values.seed ?? 1);
  const seeds = Number(values.seeds ?? (values.seed === undefined ? 2_000 : 1));
  const threads = values.log ? 1 : Math.min(seeds, Number(values.threads ?? availableParallelism()));
  const started = performance.now();
  const results: SeedResult[] = [];
  const ending = new AbortController();
  await playSeeds({
    ...{
      first,
      end: first + seeds,
      threads,
      mutant: values.mutant,
      isLoud: values.log ?? false,
      signal: ending.signal,
    },
    onLine: console.log,
    onResult: (result) => {
      results.push(result);
      if (values.json) console.log(JSON.stringify(result));
      if (result.violations.length === 0) return;
      if (!values.json) console.log(describeFailure(result, values));
      if (!values['keep-going']) ending.abort();
    },
  });
  if (!values.json) console.log(summarise(results, { seconds: (performance.now() - started) / 1_000, threads }));
  if (results.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
}
