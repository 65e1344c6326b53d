/**
 * Runs a TypeScript program of this repository on the pinned Node, with nothing installed before:
 *
 *     node tools/setup/run.mjs apps/cli/src/main.ts demo --events 1000
 *
 * Plain JavaScript for the system's Node 20, and no dependency: it is what installs them.
 */
import { constants } from 'node:os';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, installNeeded, pinnedNode } from './install.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const [entry, ...options] = process.argv.slice(2);

try {
  if (entry === undefined) throw new Error('usage: node tools/setup/run.mjs ENTRY.ts [arguments]');
  const reason = installNeeded(root);
  if (reason !== undefined) {
    const started = performance.now();
    await install(root, reason);
    // Told to the program, so that a report of its set-up counts the whole way from the command on.
    process.env.SLUICE_INSTALL_SECONDS = String(Math.round((performance.now() - started) / 10) / 100);
  }
  hand(entry, options);
} catch (thrown) {
  process.stderr.write(`setup: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}

/** Gives the terminal to the program; passes signals to it and its exit code back. */
function hand(program, args) {
  const path = `${join(root, 'node_modules/.bin')}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`;
  // What is compiled once need not be again: a run starts six processes of the same code, and chaos starts them by the hundred.
  const cache = process.env.NODE_COMPILE_CACHE ?? join(root, '.sluice/compile-cache');
  const preload = `--import=${new URL('strip-once.mjs', import.meta.url).href}`;
  const env = {
    ...process.env,
    PATH: path,
    NODE_COMPILE_CACHE: cache,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${preload}`.trim(),
  };
  const child = spawn(pinnedNode(root), [join(root, program), ...args], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // The terminal sends Ctrl-C to the whole group: the program has it already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`setup: cannot run ${pinnedNode(root)}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
