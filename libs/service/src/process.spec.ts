import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const program = join(__dirname, '../testing/idle-service.ts');
const started: ChildProcess[] = [];

function start(args: readonly string[] = []) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, SLUICE_LOG: 'info' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  started.push(child);
  return { child, firstLine: once(child.stdout!, 'data').then(([chunk]) => String(chunk).trim()) };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

describe('a real process', () => {
  it('says on stdout and over IPC that it has started, serves health on loopback, and drains on SIGTERM', async () => {
    const { child, firstLine } = start();
    const [message] = (await once(child, 'message')) as [{ event: string; health: string }];
    expect(message.event).toBe('service.started');
    expect(JSON.parse(await firstLine)).toMatchObject({ event: 'service.started', app: 'idle', health: message.health });
    expect((await fetch(`${message.health}/readyz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('drains when the IPC channel to its parent closes', async () => {
    const { child, firstLine } = start();
    await firstLine;
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('does not outlive a supervisor that was killed', async () => {
    const { child, firstLine } = start(['parent']);
    const orphan = Number(await firstLine);
    expect(isAlive(orphan)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let wait = 0; wait < 100 && isAlive(orphan); wait++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isAlive(orphan)).toBe(false);
  }, 20_000);
});
