import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** npm as the set-up sees it: notes what it was asked and installs what the test says. */
const fakeNpm = `
const { appendFileSync, mkdirSync, symlinkSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
if (args[0] === '--version') console.log(process.env.FAKE_NPM_VERSION ?? '11.0.0');
else {
  appendFileSync('npm-calls', args[0] + '\\n');
  if (process.env.FAKE_NPM_FAILS) { console.error('ENOTFOUND registry'); process.exit(1); }
  mkdirSync('node_modules/node/bin', { recursive: true });
  try { symlinkSync(process.execPath, 'node_modules/node/bin/node'); } catch {}
  writeFileSync('node_modules/.package-lock.json', '{}');
}`;

const program = `
process.on('SIGTERM', () => { console.log('drained'); process.exit(7); });
console.log('program ' + process.argv.slice(2).join(' '));
if (process.argv[2] === 'wait') setInterval(() => {}, 1000);
else process.exit(Number(process.argv[2] ?? 0));
`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-setup-'));
  mkdirSync(join(root, 'tools/setup'), { recursive: true });
  for (const file of ['run.mjs', 'install.mjs', 'strip-once.mjs']) cpSync(join(__dirname, '..', file), join(root, 'tools/setup', file));
  writeFileSync(join(root, 'package-lock.json'), '{"lock": 1}');
  writeFileSync(join(root, 'npm.js'), fakeNpm);
  writeFileSync(join(root, 'program.js'), program);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['tools/setup/run.mjs', ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: cache(), npm_execpath: join(root, 'npm.js'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ended, printed: () => stdout };
}

const cache = () => join(root, '.sluice/compile-cache');
const run = (args: readonly string[], env?: Record<string, string>) => start(args, env).ended;
const npmCalls = () => (existsSync(join(root, 'npm-calls')) ? readFileSync(join(root, 'npm-calls'), 'utf8').trim().split('\n') : []);

describe('run.mjs', () => {
  it('installs on the first start, and not again', async () => {
    const first = await run(['program.js', '0', 'x']);
    expect(first).toMatchObject({ code: 0, stdout: 'program 0 x\n' });
    expect(first.stderr).toMatch(/installing dependencies \(first start\)[^]*installed in \d+ s/);
    expect(await run(['program.js', '0'])).toEqual({ code: 0, stdout: 'program 0\n', stderr: '' });
    expect(npmCalls()).toEqual(['ci']);
  });

  it('takes the types out of a source once, and anew when it changed', async () => {
    writeFileSync(join(root, 'program.ts'), 'const greeting: string = "hello";\nconsole.log(greeting);\n');
    await run(['program.js']);
    expect(await run(['program.ts'])).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
    const folder = join(cache(), 'stripped', process.version);
    const [kept] = readdirSync(folder);
    writeFileSync(join(folder, kept!), 'console.log("kept");\n');
    expect(await run(['program.ts'])).toMatchObject({ stdout: 'kept\n' });
    writeFileSync(join(root, 'program.ts'), 'const greeting: string = "good day";\nconsole.log(greeting);\n');
    expect(await run(['program.ts'])).toMatchObject({ stdout: 'good day\n' });
  });

  it('starts a program also where it may not keep what it strips', async () => {
    writeFileSync(join(root, 'program.ts'), 'console.log("hello" as string);\n');
    writeFileSync(join(root, 'a-file'), '');
    await run(['program.js']);
    expect(await run(['program.ts'], { NODE_COMPILE_CACHE: join(root, 'a-file') })).toMatchObject({ code: 0, stdout: 'hello\n' });
  });

  it.each([
    ['the lock file', () => writeFileSync(join(root, 'package-lock.json'), '{"lock": 2}')],
    ['a patch', () => (mkdirSync(join(root, 'patches')), writeFileSync(join(root, 'patches/kafkajs+2.2.4+001+x.patch'), 'x'))],
  ])('installs in place when %s changed', async (_, change) => {
    await run(['program.js']);
    mkdirSync(join(root, 'node_modules/kafkajs'));
    change();
    expect((await run(['program.js'])).stderr).toContain('dependencies have changed');
    expect(npmCalls()).toEqual(['ci', 'install']);
    expect(existsSync(join(root, 'node_modules/kafkajs'))).toBe(!existsSync(join(root, 'patches')));
  });

  it('installs again after an installation that was cut off', async () => {
    mkdirSync(join(root, 'node_modules/node/bin'), { recursive: true });
    symlinkSync(process.execPath, join(root, 'node_modules/node/bin/node'));
    expect((await run(['program.js'])).stderr).toContain('an installation that did not end');
    expect(npmCalls()).toEqual(['ci']);
  });

  it('says what npm said and what to do when it fails, and starts nothing', async () => {
    const ended = await run(['program.js'], { FAKE_NPM_FAILS: '1' });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('ENOTFOUND registry');
    expect(ended.stderr).toContain('check the network or the proxy');
    expect((await run(['program.js'], { FAKE_NPM_FAILS: '1' })).code).toBe(1);
  });

  it('refuses an npm that is too old by name and number', async () => {
    const ended = await run(['program.js'], { FAKE_NPM_VERSION: '9.8.1' });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('npm 9.8.1 is too old: 10.0 or later is needed');
  });

  it('passes the exit code through', async () => {
    expect((await run(['program.js', '42'])).code).toBe(42);
  });

  it('passes a signal on and waits for the program to drain', async () => {
    const { child, ended, printed } = start(['program.js', 'wait']);
    while (!printed().includes('program')) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 7, stdout: 'program wait\ndrained\n' });
  });
});
