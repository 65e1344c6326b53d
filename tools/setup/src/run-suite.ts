import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Suite } from './suites.ts';
import { count, leftOut, type JestReport, type SuiteOutcome } from './tally.ts';

const root = join(import.meta.dirname, '../../..');
const jest = join(root, 'node_modules/jest/bin/jest.js');
const nothing = { passed: 0, failed: 0, skipped: 0 };

/**
 * Runs one suite and counts. A suite with an obstacle is only listed: its tests are counted as skipped.
 * @param args handed to Jest: path patterns, -t NAME.
 */
export async function runSuite(suite: Suite, args: readonly string[]): Promise<SuiteOutcome> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  if (!existsSync(join(root, suite.config)))
    return { name: suite.name, counts: { ...nothing, failed: 1 }, seconds: 0, notRun: [`${suite.config} is missing`] };
  const obstacle = suite.obstacle();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  try {
    const { report, code } = await runJest({
      suite,
      args: obstacle === undefined ? args : [...args, ...listOnly],
      folder,
      quiet: obstacle !== undefined,
    });
    if (report === undefined)
      return {
        name: suite.name,
        counts: { ...nothing, failed: 1 },
        seconds: seconds(),
        notRun: [`Jest ended with code ${code} and left no report`],
      };
    const counts = count(report);
    // Jest fails for reasons outside any test too, such as a global teardown: that must not look like success.
    const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
    const notRun = obstacle === undefined ? leftOut(report) : [obstacle, ...report.testResults.map(({ name }) => name)];
    return {
      name: suite.name,
      counts: { ...counts, failed },
      seconds: seconds(),
      notRun: notRun.map((line) => line.replaceAll(`${root}/`, '')),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets Jest find the tests of a suite without running one: no name matches, and nothing is set up. */
const noSetup = join(import.meta.dirname, '../no-setup.cjs');
const listOnly = ['--testNamePattern=(?!)', `--globalSetup=${noSetup}`, `--globalTeardown=${noSetup}`];

interface JestRun {
  readonly suite: Suite;
  readonly args: readonly string[];
  readonly folder: string;
  readonly quiet: boolean;
}

async function runJest({ suite, args, folder, quiet }: JestRun) {
  const file = join(folder, 'report.json');
  const child = spawn(
    process.execPath,
    [jest, `--config=${relative(root, join(root, suite.config))}`, '--json', `--outputFile=${file}`, '--passWithNoTests', ...args],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', quiet ? 'ignore' : 'inherit'],
      env: {
        ...process.env,
        SLUICE_LOG: process.env['SLUICE_LOG'] ?? 'warn',
        TESTCONTAINERS_REUSE_ENABLE: 'false',
        NX_DAEMON: 'false',
      },
    },
  );
  const { promise, resolve } = Promise.withResolvers<number>();
  child.on('error', () => resolve(1));
  child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  const code = await promise;
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as JestReport) : undefined;
  return { report, code };
}
