import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeModel } from '../testing/models.ts';

jest.setTimeout(60_000);

const script = (dir: string, schema: object): string => `
  const { openServer } = await import(${JSON.stringify(new URL('./server.ts', import.meta.url).href)});
  const { readFileSync } = await import('node:fs');
  await openServer({ dir: ${JSON.stringify(dir)}, schemas: [${JSON.stringify(schema)}], backend: 'compiled', placement: 'process' });
  console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim());
`;

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('a model in a process of its own ends with the process that it works for, however that one ends (needs Linux)', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-host-'));
  const { dir, schema } = await makeModel('mlp', join(root, 'mlp'));
  const main = join(root, 'main.ts');
  await writeFile(main, script(dir, schema));
  const parent = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  expect(lives(Number(pid))).toBe(true);
  parent.kill('SIGKILL');
  while (lives(Number(pid))) await new Promise((resolve) => setTimeout(resolve, 20));
  await rm(root, { recursive: true });
});
