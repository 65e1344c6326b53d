import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError, type Answer, type Manifest } from '@sluice/domain';
import { makeModel, type TestModel } from '../testing/models.ts';
import { poison } from '../testing/poison.ts';
import { copyModel } from '../testing/versions.ts';
import type { Placement } from './host.ts';
import { loadModel } from './model-folder.ts';
import { openExecutor } from './open-executor.ts';
import { openServer, type ModelServer, type ServerOptions } from './server.ts';

// Threads start in half a second, several times as long on a busy machine.
jest.setTimeout(60_000);

describe('a model server', () => {
  let root: string;
  let mlp: TestModel;
  let server: ModelServer | undefined;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-server-'));
    mlp = await makeModel('mlp', join(root, 'mlp'));
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  afterAll(() => rm(root, { recursive: true }));

  const open = async (options: Partial<ServerOptions> = {}): Promise<ModelServer> =>
    (server = await openServer({ dir: mlp.dir, schemas: [mlp.schema], calibration: 20, ...options }));
  const faulty = { threadFile: new URL('../testing/faulty-thread.ts', import.meta.url) };
  const poisoned = (kind: keyof typeof poison): Float32Array => Float32Array.of(poison[kind], ...mlp.row(0).subarray(1));
  const infer = (from: ModelServer, rows: readonly Float32Array[]): Promise<readonly (Answer | SluiceError)[]> =>
    from.infer(rows.map(mlp.value));
  const rows = (n: number, from = 0): Float32Array[] => Array.from({ length: n }, (_, i) => mlp.row(from + i));
  const codes = (results: readonly (Answer | SluiceError)[]): (string | number)[] =>
    results.map((result) => (result instanceof SluiceError ? result.code : 'answer'));

  it.each(['wasm', 'auto', 'cpu', 'compiled'] as const)('answers every row as the oracle does (%s)', async (backend) => {
    await open({ backend, tier: 'fast', threads: backend === 'auto' ? 2 : 1 });
    const calls = await Promise.all(Array.from({ length: 8 }, (_, call) => infer(server!, rows(1 + call * 13, call * 100))));
    const { executor } = await openExecutor(await loadModel(mlp.dir, [mlp.schema]), {
      backend: 'cpu',
      requireGpu: false,
      maxBatch: 1,
      calibration: 1,
    });
    expect(server!.fit().base + server!.fit().perRow).toBeGreaterThan(0);
    for (const [call, answers] of calls.entries()) {
      for (const [i, answer] of answers.entries()) {
        const [no, yes] = executor.run(mlp.row(call * 100 + i), 1);
        expect(answer).toMatchObject({ tier: 'fast', model: 'mlp', version: '1.0.0', label: yes! > no! ? 1 : 0 });
        expect((answer as Answer).confidence).toBeCloseTo(Math.max(no!, yes!), 5);
      }
    }
    executor.dispose();
  });

  it('is served where it is asked when full batches of compiled code take next to no time, else by a thread', async () => {
    const placed = async (options: Partial<ServerOptions>): Promise<string> => {
      const { backend, close } = await open({ backend: 'compiled', maxBatch: 8, ...options });
      await close();
      return backend.placement;
    };
    const text = { field: 'text', kind: 'text', buckets: 30, seed: 0, ngrams: 1 } as const;
    const schemas = [{ type: 'record', name: 'Text', fields: [{ name: 'text', type: 'string' }] }];
    const copy = async (name: string, changes: Partial<Manifest>): Promise<string> => {
      await copyModel(mlp.dir, join(root, name), changes);
      return join(root, name);
    };
    expect(await placed({})).toBe('inline');
    expect(await placed({ dir: await copy('short', { input: { shape: [30], features: [{ ...text, maxBytes: 256 }] } }), schemas })).toBe(
      'inline',
    );
    expect(await placed({ dir: await copy('long', { input: { shape: [30], features: [{ ...text, maxBytes: 257 }] } }), schemas })).toBe(
      'thread',
    );
    expect(await placed({ dir: await copy('limited', { limits: { memoryMb: 200, maxBatch: 8, timeoutMs: 10_000 } }) })).toBe('thread');
    expect(await placed({ threads: 2 })).toBe('thread');
    expect(await placed({ backend: 'wasm' })).toBe('thread');
  });

  it('tells what it holds, also where no tensor ever was, and goes on in the same thread', async () => {
    const onLost = jest.fn();
    await open({ backend: 'compiled', onLost });
    const [stats] = await server!.stats();
    expect(stats).toMatchObject({ tensors: 0 });
    // Of a thread that is gone nothing is told.
    expect(stats!.weightBytes).toBeGreaterThan(0);
    expect(await server!.stats()).toEqual([stats]);
    expect(onLost).not.toHaveBeenCalled();
  });

  it('fails only the rows that cannot be read, each with its own code, and says what it runs on', async () => {
    await open();
    const good = mlp.value(mlp.row(1));
    const notFinite = mlp.value(Float32Array.of(Number.NaN, ...mlp.row(0).subarray(1)));
    const short = { ...good, value: good.value.subarray(0, 50) };
    const results = await server!.infer([good, notFinite, good, short, { ...good, schema: 7 }, good]);
    expect(codes(results)).toEqual([
      'answer',
      'SLUICE_NUMBER_NOT_FINITE',
      'answer',
      'SLUICE_AVRO_TRUNCATED',
      'SLUICE_SCHEMA_UNKNOWN',
      'answer',
    ]);
    expect(results[2]).toEqual(results[0]);
    expect(results[5]).toEqual(results[0]);
    expect(codes(await server!.infer([short]))).toEqual(['SLUICE_AVRO_TRUNCATED']);
    expect(server!.backend).toMatchObject({
      name: expect.stringMatching(/compiled|wasm|native|frozen/),
      why: expect.stringMatching(/native (did not load|loaded|uses)/),
    });
  });

  it('serves the neighbours of rows on which the model throws, or answers NaN or too little, and leaks no tensor', async () => {
    await open({ ...faulty, backend: 'wasm' });
    const clean = await infer(server!, rows(5));
    const before = await server!.stats();
    for (const kind of ['throw', 'nan', 'short'] as const) {
      const results = await infer(server!, [...rows(5), poisoned(kind), ...rows(5)]);
      expect(codes(results)).toEqual([...Array(5).fill('answer'), 'SLUICE_MODEL_FAILED', ...Array(5).fill('answer')]);
      expect([results.slice(0, 5), results.slice(6)]).toEqual([clean, clean]);
      expect((results[5] as SluiceError).message).toContain('mlp@1.0.0');
    }
    expect(before[0]!.tensors).toBeGreaterThan(0);
    expect(await server!.stats()).toEqual(before);
  });

  it.each(
    ['thread', 'process'].flatMap((placement) => ['exit', 'hang', 'memory', 'gone'].map((kind) => ({ placement, kind }) as const)) as {
      placement: Placement;
      kind: 'exit' | 'hang' | 'memory' | 'gone';
    }[],
  )('replaces a $placement when the model makes it $kind, and serves the neighbours of that row', async ({ placement, kind }) => {
    const dir = join(root, 'bounded');
    await copyModel(mlp.dir, dir, { limits: { timeoutMs: 5000, maxBatch: 128, memoryMb: 64 } });
    const reasons: string[] = [];
    const onLost = (why: string) => void reasons.push(why);
    await open({ ...faulty, dir, placement, backend: 'wasm', onLost, ...(kind === 'hang' && { timeout: 1000 }) });
    const results = await infer(server!, [...rows(3), poisoned(kind), ...rows(3)]);
    expect(codes(results)).toEqual([...Array(3).fill('answer'), 'SLUICE_MODEL_LOST', ...Array(3).fill('answer')]);
    expect(results.slice(4)).toEqual(results.slice(0, 3));
    // Once with its batch, once alone.
    expect(reasons).toHaveLength(2);
    expect((results[3] as SluiceError).message).toContain(reasons[1]!);
    if (kind === 'memory' || kind === 'gone')
      expect((results[3] as SluiceError).message).toMatch({ memory: /memory/, gone: /the device is lost/ }[kind]);
  });

  it('fails a real model whose sums overflow, and only that row', async () => {
    const overflow = await makeModel('overflow', join(root, 'overflow'));
    await open({ dir: overflow.dir, backend: 'wasm' });
    const huge = new Float32Array(30).fill(2.9e38);
    expect(codes(await infer(server!, [mlp.row(1), huge, mlp.row(2)]))).toEqual(['answer', 'SLUICE_MODEL_FAILED', 'answer']);
  });

  it('in a process of its own gives the answers of a thread, keeps no tensor, and says what the process takes', async () => {
    await open({ backend: 'wasm', threads: 2 });
    const expected = await infer(server!, rows(300));
    await server!.close();
    await open({ backend: 'wasm', threads: 2, placement: 'process' });
    const before = await server!.stats();
    expect(await infer(server!, rows(300))).toEqual(expected);
    expect(await infer(server!, [poisoned('nan')])).toEqual(await infer(server!, [poisoned('nan')]));
    const after = await server!.stats();
    expect(after.map(({ tensors }) => tensors)).toEqual(before.map(({ tensors }) => tensors));
    for (const [i, { processBytes, processMicros, weightBytes }] of after.entries()) {
      expect(processBytes).toBeGreaterThan(weightBytes);
      expect(processMicros).toBeGreaterThan(before[i]!.processMicros!);
    }
  });

  it('answers what is in flight when it is closed', async () => {
    await open();
    const pending = infer(server!, rows(300));
    await server!.close();
    expect(codes(await pending)).toEqual(Array(300).fill('answer'));
    await expect(infer(server!, rows(1))).rejects.toMatchObject({ code: 'SLUICE_CLOSED' });
  });

  it('rejects the call when the model is gone and its thread dies', async () => {
    const copy = await makeModel('mlp', join(root, 'gone'));
    await open({ ...faulty, dir: copy.dir });
    await rm(copy.dir, { recursive: true });
    await expect(infer(server!, [poisoned('exit')])).rejects.toMatchObject({ code: 'SLUICE_MODEL_MISSING' });
  });

  it('does not start without its model or the GPU it must have', async () => {
    await expect(openServer({ dir: mlp.dir, schemas: [mlp.schema], requireGpu: true })).rejects.toMatchObject({
      code: 'SLUICE_GPU_MISSING',
    });
    await expect(openServer({ dir: join(root, 'nowhere'), schemas: [] })).rejects.toMatchObject({ code: 'SLUICE_MODEL_MISSING' });
  });
});
