import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, markOf } from './process-mark.ts';
import { endOrphans, openRun, runsDir } from './run-folder.ts';
import type { RunFolder, RunRecord } from './run-folder.ts';

describe('the folder of a run', () => {
  let stateDir: string;
  beforeEach(() => (stateDir = mkdtempSync(join(tmpdir(), 'sluice-runs-'))));
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(stateDir, { recursive: true, force: true });
  });

  const sleeper = (): ChildProcess => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    children.push(child);
    return child;
  };
  /** As if the process that opened the run had been killed, and its number given to this one. */
  const orphan = (run: RunFolder): void => {
    const file = join(run.dir, 'run.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as RunRecord;
    writeFileSync(file, JSON.stringify({ ...record, owner: { ...record.owner, started: 'another life' } }));
  };

  it('is removed when the run ends, and stays when it is to be kept', () => {
    const [gone, kept] = [openRun(stateDir, false), openRun(stateDir, true)];
    gone.remove();
    kept.remove();
    expect([existsSync(gone.dir), existsSync(kept.dir)]).toEqual([false, true]);
  });

  it('is left alone while its owner lives', () => {
    const run = openRun(stateDir, false);
    expect(endOrphans(stateDir)).toEqual([]);
    expect(existsSync(run.dir)).toBe(true);
  });

  it('is ended with its processes once its owner is gone', async () => {
    const run = openRun(stateDir, false);
    const child = sleeper();
    run.addChild(child.pid as number);
    orphan(run);
    const ended = once(child, 'exit');
    expect(endOrphans(stateDir)).toEqual([{ dir: run.dir, processes: [child.pid], containers: [] }]);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(run.dir)).toBe(false);
  });

  it('never ends a process that only got the number of one of its own', async () => {
    const run = openRun(stateDir, false);
    const child = sleeper();
    run.addChild(child.pid as number);
    orphan(run);
    const file = join(run.dir, 'run.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"children":\[.*?\]/, `"children":[{"pid":${child.pid},"started":"earlier"}]`));
    expect(endOrphans(stateDir)).toEqual([]);
    expect(isAlive(markOf(child.pid as number)!)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('hands over the containers that are left', () => {
    const run = openRun(stateDir, false);
    run.addContainer('c0ffee');
    orphan(run);
    expect(endOrphans(stateDir)).toMatchObject([{ containers: ['c0ffee'] }]);
  });

  it('of a killed run that was to be kept stays, but is reported once only', () => {
    const run = openRun(stateDir, true);
    run.addContainer('c0ffee');
    orphan(run);
    expect(endOrphans(stateDir)).toHaveLength(1);
    expect(endOrphans(stateDir)).toHaveLength(0);
    expect(existsSync(run.dir)).toBe(true);
  });

  it('without a record is removed when it is old, for a start under way writes it at once', () => {
    const [old, fresh] = ['old', 'fresh'].map((name) => join(runsDir(stateDir), name)) as [string, string];
    for (const dir of [old, fresh]) mkdirSync(dir, { recursive: true });
    utimesSync(old, new Date(0), new Date(0));
    endOrphans(stateDir);
    expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
  });
});

describe('the mark of a process', () => {
  it('is stable while it lives and gone when it has ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const mark = markOf(child.pid as number);
    expect(mark).toEqual(markOf(child.pid as number));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(mark!)).toBe(false);
  });
});
