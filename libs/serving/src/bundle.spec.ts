import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { makeModel } from '../testing/models.ts';

jest.setTimeout(60_000);

/** TensorFlow.js is CommonJS, and its WASM loader looks for its folder. */
const commonJs = `
import { createRequire as requireOf } from 'node:module';
import { fileURLToPath as pathOf } from 'node:url';
const require = requireOf(import.meta.url), __filename = pathOf(import.meta.url), __dirname = pathOf(new URL('.', import.meta.url));
`;

/** Images carry bundles without node_modules: the thread is a file beside the main one, and so is the .wasm. */
it('a model is served from an esbuild bundle with its thread and the .wasm file beside it', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
  const model = await makeModel('cnn', join(dir, 'model'));
  const server = fileURLToPath(new URL('./server.ts', import.meta.url));
  await writeFile(
    join(dir, 'main.ts'),
    `import { openServer } from ${JSON.stringify(server)};
     const server = await openServer({ dir: ${JSON.stringify(model.dir)}, schemas: [${JSON.stringify(model.schema)}], backend: process.argv[3], calibration: 20 });
     const [answer] = await server.infer([{ value: Buffer.from(process.argv[2]!, 'base64'), schema: 0, start: 10 }]);
     console.log(JSON.stringify({ backend: server.backend.name, answer }));
     await server.close();`,
  );
  await build({
    entryPoints: { main: join(dir, 'main.ts'), 'inference-thread': fileURLToPath(new URL('./inference-thread.ts', import.meta.url)) },
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    nodePaths: [fileURLToPath(new URL('../../../node_modules', import.meta.url))],
    banner: { js: commonJs },
  });
  const wasm = 'tfjs-backend-wasm-simd.wasm';
  await copyFile(createRequire(import.meta.url).resolve(`@tensorflow/tfjs-backend-wasm/dist/${wasm}`), join(dir, wasm));
  for (const backend of ['wasm', 'compiled']) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(dir, 'main.mjs'), model.value(model.row(3)).value.toString('base64'), backend],
      { cwd: dir },
    );
    expect(JSON.parse(stdout)).toMatchObject({ backend, answer: { model: 'cnn', tier: 'cnn' } });
  }
  await rm(dir, { recursive: true });
});
