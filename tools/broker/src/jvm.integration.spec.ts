import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultStateDir, openBroker } from './index.ts';
import { reach } from './kafka-api.ts';
import { markOf } from './process-mark.ts';
import { runsDir } from './run-folder.ts';

interface Opened {
  readonly brokers: string;
  readonly pid: number;
  readonly runDir: string;
}

describe('a local JVM broker', () => {
  let stateDir: string;
  beforeAll(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'sluice-jvm-'));
    // Runs of its own, the caches of everybody.
    for (const cache of ['kafka', 'java']) {
      const shared = join(defaultStateDir(), cache);
      if (existsSync(shared)) symlinkSync(shared, join(stateDir, cache));
    }
  });
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));
  /** A process that opens a broker and then does nothing. */
  const owner = async (): Promise<{ child: ChildProcess; opened: Opened }> => {
    const child = fork(join(__dirname, '..', 'testing', 'broker-owner.ts'), [stateDir], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [opened] = (await once(child, 'message')) as [Opened];
    return { child, opened };
  };
  const runs = () => (existsSync(runsDir(stateDir)) ? readdirSync(runsDir(stateDir)) : []);
  const gone = async (pid: number) => {
    for (let waited = 0; markOf(pid) !== undefined && waited < 100; waited++) await new Promise((resolve) => setTimeout(resolve, 50));
    return markOf(pid) === undefined;
  };

  it('is ready when handed over, says why no better rung was taken, and leaves nothing behind', async () => {
    const steps: string[] = [];
    const broker = await openBroker({
      stateDir,
      choice: 'jvm',
      onStep: (text) => steps.push(text),
      warm: async (brokers) => void steps.push(brokers),
    });
    expect(await reach(broker.brokers!)).toBeUndefined();
    expect(broker).toMatchObject({ kind: 'jvm', version: '4.3.1', brokers: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
    expect(steps).toContain(broker.brokers);
    expect(broker.why.join()).toContain('jvm was asked for');
    await Promise.all([broker.close(), broker.close()]);
    expect(await reach(broker.brokers!)).toContain('ECONNREFUSED');
    expect(runs()).toEqual([]);
  });

  it('reports its own death with the end of its log', async () => {
    const broker = await openBroker({ stateDir, choice: 'jvm' });
    process.kill(broker.pid!, 'SIGKILL');
    expect(await broker.failed).toMatchObject({ code: 'SLUICE_BROKER_FAILED', message: expect.stringContaining('SIGKILL') });
    await broker.close();
    expect(runs()).toEqual([]);
  });

  it('that does not come up is an error with its log, and leaves nothing behind', async () => {
    const properties = { 'node.id': 'seven' };
    await expect(openBroker({ stateDir, choice: 'jvm', properties })).rejects.toMatchObject({
      code: 'SLUICE_BROKER_FAILED',
      message: expect.stringContaining('Invalid value seven'),
    });
    expect(runs()).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with its owner on %s', async (signal) => {
    const { child, opened } = await owner();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([signal === 'SIGINT' ? 130 : 143, null]);
    expect(await gone(opened.pid)).toBe(true);
    expect(runs()).toEqual([]);
  });

  it('ends with its owner when that calls process.exit', async () => {
    const { child, opened } = await owner();
    child.send('exit');
    expect(await once(child, 'exit')).toEqual([3, null]);
    expect(await gone(opened.pid)).toBe(true);
    expect(runs()).toEqual([]);
  });

  it('whose owner was killed is found and ended at the next start', async () => {
    const { child, opened } = await owner();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(markOf(opened.pid)).toBeDefined();
    const steps: string[] = [];
    const memory = await openBroker({ stateDir, choice: 'memory', onStep: (text) => steps.push(text) });
    expect(steps[0]).toContain(`process ${opened.pid}`);
    expect(await gone(opened.pid)).toBe(true);
    expect(runs()).toEqual([]);
    await memory.close();
  });

  it('leaves its folder when asked to keep it', async () => {
    const broker = await openBroker({ stateDir, choice: 'jvm', keep: true });
    await broker.close();
    expect(readdirSync(broker.runDir!)).toEqual(expect.arrayContaining(['broker.log', 'data', 'server.properties']));
    rmSync(broker.runDir!, { recursive: true });
  });
});
