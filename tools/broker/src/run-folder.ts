import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, markOf } from './process-mark.ts';
import type { ProcessMark } from './process-mark.ts';

/** What run.json of a run folder says. */
export interface RunRecord {
  /** The process that opened the run and must close it. */
  readonly owner: ProcessMark;
  /** Processes it started for the run. */
  readonly children: readonly ProcessMark[];
  /** Containers it started for the run. */
  readonly containers: readonly string[];
  /** The folder is to stay for whoever wants to look into it. */
  readonly keep: boolean;
}

/** A folder of its own for one run: data, logs, and a record by which a later start finds what a killed run left. */
export interface RunFolder {
  readonly dir: string;
  addChild(pid: number): void;
  addContainer(id: string): void;
  /** Removes the folder (or leaves it, when asked to keep it). */
  remove(): void;
}

const recordFile = 'run.json';

export function runsDir(stateDir: string): string {
  return join(stateDir, 'runs');
}

/** Opens a fresh run folder under `stateDir`, owned by this process. */
export function openRun(stateDir: string, keep: boolean): RunFolder {
  const stamp = new Date().toISOString().replace(/[-:]|\..*$/g, '');
  const dir = join(runsDir(stateDir), `${stamp}-${randomBytes(3).toString('hex')}`);
  mkdirSync(dir, { recursive: true });
  const owner = markOf(process.pid) ?? { pid: process.pid, started: 'unknown' };
  let record: RunRecord = { owner, children: [], containers: [], keep };
  const change = (next: RunRecord): void => {
    record = next;
    writeRecord(dir, record);
  };
  writeRecord(dir, record);
  return {
    dir,
    addChild: (pid) => {
      const mark = markOf(pid);
      if (mark !== undefined) change({ ...record, children: [...record.children, mark] });
    },
    addContainer: (id) => change({ ...record, containers: [...record.containers, id] }),
    remove: () => {
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What a killed run left behind and the cleaner has ended. */
export interface Orphan {
  readonly dir: string;
  readonly processes: readonly number[];
  readonly containers: readonly string[];
}

/**
 * Ends the processes of runs whose owner is gone and removes their folders. Only processes that a run of ours recorded,
 * with the very start time it recorded, are touched. Containers are returned for the caller to remove.
 */
export function endOrphans(stateDir: string): Orphan[] {
  const orphans: Orphan[] = [];
  for (const dir of listRuns(stateDir)) {
    const record = readRecord(dir);
    if (record === undefined) {
      if (isStale(dir)) rmSync(dir, { recursive: true, force: true });
      continue;
    }
    if (isAlive(record.owner)) continue;
    const processes = record.children.filter(isAlive).map(({ pid }) => pid);
    for (const pid of processes) process.kill(pid, 'SIGKILL');
    if (!record.keep) rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    if (processes.length > 0 || record.containers.length > 0) orphans.push({ dir, processes, containers: record.containers });
    if (record.keep) writeRecord(dir, { ...record, children: [], containers: [] });
  }
  return orphans;
}

function listRuns(stateDir: string): string[] {
  try {
    return readdirSync(runsDir(stateDir)).map((name) => join(runsDir(stateDir), name));
  } catch {
    return [];
  }
}

/** A folder without a record is either half a second old or was left by a crash between two calls. */
function isStale(dir: string): boolean {
  try {
    return Date.now() - statSync(dir).mtimeMs > 60_000;
  } catch {
    return false;
  }
}

function writeRecord(dir: string, record: RunRecord): void {
  const file = join(dir, recordFile);
  writeFileSync(`${file}.new`, JSON.stringify(record));
  renameSync(`${file}.new`, file);
}

function readRecord(dir: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, recordFile), 'utf8')) as RunRecord;
  } catch {
    return undefined;
  }
}
