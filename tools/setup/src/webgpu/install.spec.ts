import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** npm that installs a Dawn whose adapter is what the environment says. */
const npm = `#!${process.execPath}
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
if (process.env.FAKE_NPM_FAILS) { console.error('ENOTFOUND registry'); process.exit(1); }
appendFileSync(process.env.FAKE_NPM_CALLS, process.argv.slice(2).join(' ') + '\\n');
const own = process.platform + '-' + (process.platform === 'darwin' ? 'universal' : process.arch);
for (const folder of [own, 'plan9-mips']) mkdirSync('node_modules/webgpu/dist/' + folder, { recursive: true });
writeFileSync('node_modules/webgpu/package.json', '{"type": "module", "main": "index.js"}');
writeFileSync('node_modules/webgpu/index.js', \`export const create = () => ({ requestAdapter: async () => (\${process.env.FAKE_ADAPTER ?? null}) });\`);
`;

describe('setup:webgpu', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-setup-webgpu-'));
    await writeFile(join(root, 'npm'), npm);
    await chmod(join(root, 'npm'), 0o755);
  });
  afterEach(() => rm(root, { recursive: true }));

  async function install(environment: Record<string, string> = {}): Promise<string> {
    const fakes = { SLUICE_HOME: join(root, 'home'), PATH: `${root}:${process.env['PATH']}`, FAKE_NPM_CALLS: join(root, 'calls') };
    const env = { ...process.env, ...fakes, ...environment };
    const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, '../../webgpu.ts')], { env });
    return stdout.trim();
  }

  it('installs both packages without their scripts, for this platform only, and once', async () => {
    const adapter = { FAKE_ADAPTER: '{ info: { description: "Acme 9000", isFallbackAdapter: false } }' };
    expect(await install(adapter)).toMatch(/^1\/2 npm(.|\n)*done: .*; the adapter is Acme 9000, a GPU$/);
    expect(await readdir(join(root, 'home/webgpu/node_modules/webgpu/dist'))).toHaveLength(1);
    expect(await install()).toMatch(/^WebGPU is there: .*; the adapter is Acme 9000, a GPU$/);
    const calls = await readFile(join(root, 'calls'), 'utf8');
    expect(calls).toMatch(/^install .*--ignore-scripts .*@tensorflow\/tfjs-backend-webgpu@4\.22\.0 webgpu@\S+\n$/);
  });

  it.each([
    ['is no GPU', '{ info: { description: "llvmpipe", isFallbackAdapter: true } }', 'the adapter is llvmpipe, which computes on the CPU'],
    ['is not there', 'null', 'Dawn finds no adapter, it needs a driver'],
  ])('says that the adapter %s', async (_, adapter, said) => {
    expect(await install({ FAKE_ADAPTER: adapter })).toContain(said);
  });

  it('leaves nothing that looks installed when npm fails, and says what npm said', async () => {
    await expect(install({ FAKE_NPM_FAILS: '1' })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^setup:webgpu: npm ended with code 1:\nENOTFOUND registry\nNothing else needs it/),
    });
    expect(await readdir(join(root, 'home'))).toEqual(['webgpu.part']);
  });
});
