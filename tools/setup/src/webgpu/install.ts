import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../native/commands.ts';
import { stateFolder } from '../state-folder.ts';

/** The release of the other TensorFlow.js packages here, and Dawn as a Node addon. */
const packages = { '@tensorflow/tfjs-backend-webgpu': '4.22.0', webgpu: '0.6.2' } as const;

/**
 * @param say one line for each step.
 * @throws Error saying what is missing, or what a command that failed wrote.
 */
export async function installWebgpu(say: (text: string) => void): Promise<void> {
  const home = join(stateFolder(), 'webgpu');
  const installed = JSON.stringify({ ...packages, platform: `${process.platform}-${process.arch}` });
  const stamp = 'installed.json';
  if (existsSync(join(home, stamp)) && (await readFile(join(home, stamp), 'utf8')) === installed)
    return say(`WebGPU is there: ${home}; ${await adapter(home)}`);
  const work = `${home}.part`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const named = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  say(`1/2 npm: ${named.join(', ')} (60 MB)`);
  await run('npm', ['install', '--prefix', '.', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', ...named], work);
  await onlyThisPlatform(join(work, 'node_modules/webgpu/dist'));
  say('2/2 looking for an adapter');
  const found = await adapter(work);
  await writeFile(join(work, stamp), installed);
  await rm(home, { recursive: true, force: true });
  await rename(work, home);
  say(`done: ${home}; ${found}`);
}

/** Dawn comes for every platform in one package: 140 MB, of which one needs 20. */
async function onlyThisPlatform(dist: string): Promise<void> {
  const own = `${process.platform}-${process.platform === 'darwin' ? 'universal' : process.arch}`;
  const folders = await readdir(dist);
  if (!folders.includes(own)) throw new Error(`Dawn comes for ${folders.join(', ')}, and this is ${own}`);
  for (const folder of folders) if (folder !== own) await rm(join(dist, folder), { recursive: true });
}

/** What Dawn computes on; without a driver the packages are of use once there is one. */
async function adapter(folder: string): Promise<string> {
  const written = await run(process.execPath, ['--input-type=module', '-e', lookForAdapter], folder);
  const [, description, gpu] = /^adapter: (.*) (true|false)$/m.exec(written) ?? [];
  if (description === undefined) return `Dawn finds no adapter, it needs a driver for Vulkan, Metal or Direct3D:\n${written}`;
  return `the adapter is ${description}, ${gpu === 'true' ? 'a GPU' : 'which computes on the CPU: for tests, not for speed'}`;
}

const lookForAdapter = `
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) console.log('adapter: ' + adapter.info.description + ' ' + (adapter.info.isFallbackAdapter === false));
`;
