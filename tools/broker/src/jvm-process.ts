import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from './command.ts';

export interface JvmSpec {
  readonly java: string;
  readonly args: readonly string[];
  readonly logFile: string;
}

/** A JVM of ours in a process group of its own: Ctrl-C in the terminal must reach us first, so that clients drain before it ends. */
export function startJvm(spec: JvmSpec): ChildProcess {
  const log = openSync(spec.logFile, 'a');
  try {
    return spawn(spec.java, spec.args, { stdio: ['ignore', log, log], detached: true });
  } finally {
    closeSync(log);
  }
}

/** Resolves with the exit in words once the child has ended; a child that never started counts as ended. */
export function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

/** SIGTERM, and SIGKILL when it has not ended after `patience` milliseconds. */
export async function endJvm(child: ChildProcess, ended: Promise<string>, patience: number): Promise<boolean> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
  child.kill('SIGTERM');
  const timer = new AbortController();
  const clean = await Promise.race([ended.then(() => true), sleep(patience, false, { signal: timer.signal }).catch(() => false)]);
  timer.abort();
  if (!clean) child.kill('SIGKILL');
  await ended;
  return clean;
}

/** Waits until the port takes connections, or the process ends, or the time is up. Returns the fault, if any. */
export async function untilListening(port: number, ended: Promise<string>, timeout: number): Promise<string | undefined> {
  const until = Date.now() + timeout;
  let exit: string | undefined;
  void ended.then((text) => (exit = text));
  while (!(await canConnect(port))) {
    if (exit !== undefined) return `it ended at once (${exit})`;
    if (Date.now() > until) return `it did not listen within ${timeout / 1000} s`;
    await sleep(15);
  }
  return exit === undefined ? undefined : `it ended at once (${exit})`;
}

async function canConnect(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** The last lines of a log file that say something: frames of stack traces are left out. Empty when there is no file. */
export function tailOf(file: string, lines = 8): string {
  try {
    const said = readFileSync(file, 'utf8').split('\n');
    return lastLines(said.filter((line) => !/^\s+(at |\.\.\. \d)/.test(line)).join('\n'), lines);
  } catch {
    return '';
  }
}
