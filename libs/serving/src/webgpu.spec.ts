import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Answer } from '@sluice/domain';
import { makeModel, type Kind, type TestModel } from '../testing/models.ts';
import { loadModel, type ModelFolder } from './model-folder.ts';
import { openExecutor, type BackendChoice } from './open-executor.ts';
import { openPlanned } from './open-planned.ts';
import { openServer } from './server.ts';
import { openWebgpu } from './webgpu-executor.ts';

// A software adapter compiles for seconds.
jest.setTimeout(60_000);

/** Not a reason to fail: packages and adapters are optional. Asked of a process of its own, as tests are named before any of them runs. */
const ask = `import(${JSON.stringify(new URL('./webgpu-executor.ts', import.meta.url).href)})
  .then(({ openWebgpu }) => openWebgpu()).then(({ ready }) => console.log(ready))`;
const here = spawnSync(process.execPath, ['-e', ask], { encoding: 'utf8', timeout: 30_000 }).stdout.trim() === 'true';
const itHere = here ? it : it.skip;
const needs = '(needs WebGPU: npm run setup:webgpu, and an adapter)';

const options = { backend: 'webgpu' as BackendChoice, requireGpu: false, maxBatch: 8, calibration: 20 };

describe('WebGPU', () => {
  let root: string;
  const models = new Map<Kind, { readonly model: TestModel; readonly folder: ModelFolder }>();
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-webgpu-'));
    for (const kind of ['logistic', 'mlp', 'cnn'] as const) {
      const model = await makeModel(kind, join(root, kind));
      models.set(kind, { model, folder: await loadModel(model.dir, [model.schema]) });
    }
  });
  afterAll(() => rm(root, { recursive: true }));

  it('is refused by name where it is not installed, is no GPU there, and keeps nothing else from serving', async () => {
    const home = process.env['SLUICE_HOME'];
    process.env['SLUICE_HOME'] = join(root, 'nowhere');
    try {
      const { folder } = models.get('mlp')!;
      await expect(openExecutor(folder, options)).rejects.toMatchObject({
        code: 'SLUICE_CONFIG_INVALID',
        message: 'The backend webgpu was asked for and did not load: it is not installed (npm run setup:webgpu)',
      });
      await expect(openExecutor(folder, { ...options, requireGpu: true })).rejects.toMatchObject({ code: 'SLUICE_GPU_MISSING' });
      const { executor, why } = await openExecutor(folder, { ...options, backend: 'auto' });
      expect(why).toContain('webgpu did not load: it is not installed');
      executor.dispose();
    } finally {
      if (home === undefined) delete process.env['SLUICE_HOME'];
      else process.env['SLUICE_HOME'] = home;
    }
  });

  itHere.each(['logistic', 'mlp', 'cnn'] as const)(`answers as the oracle does, and keeps no tensor: %s ${needs}`, async (kind) => {
    const { model, folder } = models.get(kind)!;
    const { executor } = await openExecutor(folder, options);
    const { executor: oracle } = await openExecutor(folder, { ...options, backend: 'cpu' });
    const before = executor.tensors;
    expect(before).toBeGreaterThan(0);
    for (const n of [1, 3, 8]) {
      const rows = Float32Array.from(Array.from({ length: n }, (_, i) => [...model.row(i)]).flat());
      const [scores, expected] = [executor.run(rows, n), oracle.run(rows, n)];
      expect(scores).toHaveLength(expected.length);
      expected.forEach((score, i) => expect(Math.abs(scores[i]! - score)).toBeLessThanOrEqual(1e-5));
    }
    expect(executor.tensors).toBe(before);
    executor.dispose();
    oracle.dispose();
  });

  itHere(`counts as a GPU only on one ${needs}`, async () => {
    const { folder } = models.get('logistic')!;
    const { executor, gpu, why } = await openExecutor(folder, options);
    executor.dispose();
    expect(why).toMatch(gpu ? /webgpu uses / : /webgpu computes on the CPU \(.+\)/);
    // Software adapters by their names, whatever they say of themselves.
    if (/SwiftShader|llvmpipe|Basic Render/i.test(why)) expect(gpu).toBe(false);
    const required = openExecutor(folder, { ...options, requireGpu: true });
    if (gpu) (await required).executor.dispose();
    else await expect(required).rejects.toMatchObject({ code: 'SLUICE_GPU_MISSING', message: expect.stringContaining('on the CPU') });
  });

  itHere(`takes part in calibration ${needs}`, async () => {
    const { folder } = models.get('cnn')!;
    const { executor, why } = await openExecutor(folder, { ...options, backend: 'auto' });
    executor.dispose();
    expect(why).toMatch(/webgpu takes \d+ us|webgpu \d+ us|webgpu is passed over: it takes \d+ ms/);
  });

  itHere(`is opened again from a plan, and refuses a model that it cannot run ${needs}`, async () => {
    const { model, folder } = models.get('mlp')!;
    const { executor } = await openPlanned(folder, { plan: { tensor: 'webgpu', compiledUpTo: 2 }, budget: 20 });
    expect([executor.name, executor.run(model.row(1), 1).length]).toEqual(['compiled+webgpu', 2]);
    executor.dispose();
    const more = { ...folder, manifest: { ...folder.manifest, labels: ['a', 'b', 'c'] } };
    await expect(openExecutor(more, options)).rejects.toMatchObject({
      code: 'SLUICE_MODEL_INVALID',
      message: expect.stringContaining('shape [2, 2], expected [2, 3]'),
    });
  });

  itHere(`is given up when it takes too long ${needs}`, async () => {
    expect(await openWebgpu(1)).toEqual({ ready: false, why: 'it did not start within 1 ms' });
  });

  itHere(`serves batches from a process of its own, in their order ${needs}`, async () => {
    const { model } = models.get('mlp')!;
    const answers = async (backend: BackendChoice): Promise<readonly Answer[]> => {
      const server = await openServer({ dir: model.dir, schemas: [model.schema], ...options, backend });
      const calls = [5, 1, 9, 20].map((n, call) =>
        server.infer(Array.from({ length: n }, (_, i) => model.value(model.row(call * 50 + i)))),
      );
      const results = (await Promise.all(calls)).flat() as Answer[];
      if (backend === 'webgpu') {
        const [stats] = await server.stats();
        expect(stats!.weightBytes).toBeGreaterThan(50e6);
      }
      await server.close();
      return results;
    };
    const [ours, theirs] = [await answers('webgpu'), await answers('wasm')];
    expect(ours.map(({ label }) => label)).toEqual(theirs.map(({ label }) => label));
    ours.forEach(({ confidence }, i) => expect(Math.abs(confidence - theirs[i]!.confidence)).toBeLessThanOrEqual(1e-5));
  });

  itHere(`lets a process end that forgot about it ${needs}`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', ask], { timeout: 30_000 });
    expect(stdout.trim()).toBe('true');
  });
});
