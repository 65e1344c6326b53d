import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateFolder } from '../state-folder.ts';
import { run, whatIsMissing } from './commands.ts';

const tfjs = '4.22.0';
const headers = '1.9.0';
/** Its C library still has every symbol that the binding of 4.22.0 uses. */
const tensorflow = '2.21.0';
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** Headers of TensorFlow that the binding includes, directly or not. */
const included = ['tensorflow/c/', 'tensorflow/core/platform/', 'xla/tsl/', 'tsl/'].map((path) => `tensorflow/include/${path}`);

/**
 * @param say one line for each step.
 * @throws Error saying what is missing, or what a command that failed wrote.
 */
export async function buildNative(say: (text: string) => void): Promise<void> {
  const home = join(stateFolder(), 'native');
  const built = { tfjs, tensorflow, node: process.versions.modules, platform: `${process.platform}-${process.arch}` };
  if (await sameAs(join(home, 'built.json'), built)) return say(`the native binding is there: ${home}`);
  const missing = await whatIsMissing();
  if (missing !== undefined) throw new Error(missing);
  const work = `${home}.part`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  say('1/4 npm: the binding, its scripts left out');
  const npm = ['install', '--prefix', '.', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
  await run('npm', [...npm, `@tensorflow/tfjs-node-gpu@${tfjs}`, `node-api-headers@${headers}`], work);
  say(`2/4 pip: TensorFlow ${tensorflow} (270 MB)`);
  await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', 'wheel', `tensorflow-cpu==${tensorflow}`], work);
  say('3/4 unpacking its C library');
  await unpack(work);
  say('4/4 compiling and trying the binding');
  await compile(work);
  await run(process.execPath, ['-e', tryOut], work);
  await writeFile(join(work, 'built.json'), JSON.stringify(built));
  await rm(home, { recursive: true, force: true });
  await rename(work, home);
  say(`done: ${home}`);
}

async function sameAs(path: string, built: object): Promise<boolean> {
  return existsSync(path) && (await readFile(path, 'utf8')) === JSON.stringify(built);
}

const binding = 'node_modules/@tensorflow/tfjs-node-gpu';

/** A wheel is a zip; Python, which is here anyway, opens it. */
async function unpack(work: string): Promise<void> {
  const [wheel] = await readdir(join(work, 'wheel'));
  const script = [
    'import sys, zipfile',
    'wheel, target, *wanted = sys.argv[1:]',
    'archive = zipfile.ZipFile(wheel)',
    'archive.extractall(target, [n for n in archive.namelist() if n.startswith(tuple(wanted))])',
  ].join('\n');
  const wanted = [...included, ...libraries.map((name) => `tensorflow/${name}`)];
  await run('python3', ['-c', script, join('wheel', wheel!), 'unpacked', ...wanted], work);
  await mkdir(join(work, binding, 'deps/lib'), { recursive: true });
  for (const name of libraries) await rename(join(work, 'unpacked/tensorflow', name), join(work, binding, 'deps/lib', name));
  await rm(join(work, 'wheel'), { recursive: true });
}

async function compile(work: string): Promise<void> {
  const out = join(binding, 'lib/napi-v8');
  await mkdir(join(work, out), { recursive: true });
  await run(
    'g++',
    [
      ...['-shared', '-fPIC', '-O2', '-std=c++17', '-w', '-DNAPI_VERSION=8'],
      ...['-I', 'node_modules/node-api-headers/include', '-I', 'unpacked/tensorflow/include', '-I', binding],
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(binding, 'binding', name)),
      ...['-o', join(out, 'tfjs_binding.node'), '-L', join(binding, 'deps/lib'), ...libraries.map((name) => `-l:${name}`)],
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ],
    work,
  );
  await rm(join(work, 'unpacked'), { recursive: true });
}

const tryOut = `
  const tf = require('@tensorflow/tfjs-node-gpu');
  const [sum] = tf.matMul(tf.ones([1, 3]), tf.ones([3, 1])).dataSync();
  if (sum !== 3 || tf.getBackend() !== 'tensorflow') throw new Error('the binding computes ' + sum + ' for 3 on ' + tf.getBackend());
`;
