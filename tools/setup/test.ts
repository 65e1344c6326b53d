/**
 * `npm test`: unit, integration and container suites, counted together.
 *
 *     npm test                            everything this machine can run
 *     npm test -- --unit routing          unit tests whose path contains "routing"
 *     npm test -- --integration -t zombie
 *
 * The last line is `N passed, N failed, N skipped`; what did not run is named above it and counted as skipped.
 */
import { runSuite } from './src/run-suite.ts';
import { suites } from './src/suites.ts';
import { renderSummary, total, type SuiteOutcome } from './src/tally.ts';

const help = `npm test [-- [--unit] [--integration] [--container] [path patterns] [-t NAME]]
${suites.map(({ name, about }) => `  --${name.padEnd(12)} ${about}`).join('\n')}
Without one of these all run. Everything else is handed to Jest.`;

const names = new Set(suites.map(({ name }) => `--${name}`));
const args = process.argv.slice(2);
const chosen = args.filter((arg) => names.has(arg));
const rest = args.filter((arg) => !names.has(arg));

if (rest.includes('--help')) console.log(help);
else await runAll();

async function runAll(): Promise<void> {
  const outcomes: SuiteOutcome[] = [];
  for (const suite of suites.filter(({ name }) => chosen.length === 0 || chosen.includes(`--${name}`))) {
    console.log(`\n== ${suite.name}: ${suite.about}`);
    outcomes.push(await runSuite(suite, rest));
  }
  console.log(renderSummary(outcomes));
  if (total(outcomes).failed > 0) process.exitCode = 1;
}
