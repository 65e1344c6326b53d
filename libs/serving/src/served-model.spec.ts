import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError, type Answer } from '@sluice/domain';
import { makeModel, type TestModel } from '../testing/models.ts';
import { poison } from '../testing/poison.ts';
import { copyModel } from '../testing/versions.ts';
import { ModelPool } from './model-pool.ts';
import { watched } from './probation.ts';
import type { LeftVersion, ServedModel } from './served-model.ts';
import type { ServerOptions } from './server.ts';

jest.setTimeout(60_000);

type Answers = readonly (Answer | SluiceError)[];
const versionsOf = (answers: Answers): string[] =>
  answers.map((answer) => (answer instanceof SluiceError ? answer.code : `${answer.model}@${answer.version}`));

let root: string;
let mlp: TestModel;
let logistic: TestModel;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-pool-'));
  mlp = await makeModel('mlp', join(root, 'mlp'));
  logistic = await makeModel('logistic', join(root, 'logistic'));
  await copyModel(mlp.dir, join(root, 'mlp@2.0.0'), { version: '2.0.0' });
  await copyModel(mlp.dir, join(root, 'broken'), { version: '3.0.0', files: {} });
  await copyModel(mlp.dir, join(root, 'relabelled'), { version: '3.0.0', labels: ['yes', 'no'] });
});
afterAll(() => rm(root, { recursive: true }));

const options = (model: TestModel, more: Partial<ServerOptions> = {}): ServerOptions => ({
  dir: model.dir,
  schemas: [model.schema],
  calibration: 20,
  backend: 'wasm',
  ...more,
});
const infer = (served: ServedModel, rows: number): Promise<Answers> =>
  served.infer(Array.from({ length: rows }, (_, i) => mlp.value(mlp.row(i))));

describe('a hot swap', () => {
  let pool: ModelPool;
  beforeEach(() => (pool = new ModelPool()));
  afterEach(() => pool.close());

  it('under load loses and doubles nothing: each call is answered whole by one version, the new one after the swap', async () => {
    const served = await pool.add(options(mlp));
    const calls: Promise<Answers>[] = [];
    let swapped = false;
    let more = 20;
    const load = (async () => {
      while (!swapped || calls.length < 50 || more-- > 0) {
        calls.push(infer(served, 1 + (calls.length % 40)));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const before = await infer(served, 3);
    await served.swap(join(root, 'mlp@2.0.0'));
    swapped = true;
    const after = await infer(served, 3);
    await load;
    expect(versionsOf(before)).toEqual(Array(3).fill('mlp@1.0.0'));
    expect(versionsOf(after)).toEqual(Array(3).fill('mlp@2.0.0'));
    const seen: string[] = [];
    for (const [i, answers] of (await Promise.all(calls)).entries()) {
      const versions = new Set(versionsOf(answers));
      expect([answers.length, versions.size]).toEqual([1 + (i % 40), 1]);
      seen.push(...versions);
    }
    expect(seen.indexOf('mlp@2.0.0')).toBeGreaterThan(0);
    expect(seen.slice(seen.indexOf('mlp@2.0.0'))).not.toContain('mlp@1.0.0');
    expect(served.manifest.version).toBe('2.0.0');
  });

  it('answers what hangs on the former version by its time-out, while the next one serves', async () => {
    const threadFile = new URL('../testing/faulty-thread.ts', import.meta.url);
    const served = await pool.add(options(mlp, { threadFile, timeout: 1500 }));
    const stuck = served.infer([mlp.value(Float32Array.of(poison.hang, ...mlp.row(0).subarray(1)))]);
    const swapping = served.swap(join(root, 'mlp@2.0.0'));
    await swapping;
    expect(versionsOf(await stuck)).toEqual(['SLUICE_MODEL_LOST']);
    expect(served.losses).toBe(2);
    expect(versionsOf(await infer(served, 2))).toEqual(['mlp@2.0.0', 'mlp@2.0.0']);
  });

  it.each([
    ['does not load', 'broken', 'SLUICE_MODEL_INVALID'],
    ['has other labels', 'relabelled', 'SLUICE_MODEL_INVALID'],
    ['is another model', 'logistic', 'SLUICE_MODEL_INVALID'],
    ['is not there', 'nowhere', 'SLUICE_MODEL_MISSING'],
  ])('to a version that %s is refused, and the former goes on', async (_, dir, code) => {
    const served = await pool.add(options(mlp));
    await expect(served.swap(join(root, dir))).rejects.toMatchObject({ code });
    expect(versionsOf(await infer(served, 2))).toEqual(['mlp@1.0.0', 'mlp@1.0.0']);
  });
});

describe('a version that fails where the one before it does not', () => {
  const threadFile = new URL('../testing/faulty-version.ts', import.meta.url);
  const rounds = watched.calls + 10;
  let now: number;
  let pool: ModelPool;
  let left: LeftVersion[];
  beforeEach(() => {
    [now, left] = [0, []];
    pool = new ModelPool({ now: () => now });
  });
  afterEach(() => pool.close());

  const faultyVersion = async (fault: string, version = '2.0.0'): Promise<string> => {
    const dir = join(root, `mlp@${version}-${fault}`);
    await copyModel(mlp.dir, dir, { version, training: { fault }, limits: { timeoutMs: 500, maxBatch: 128 } });
    return dir;
  };
  const add = (): Promise<ServedModel> => pool.add({ ...options(mlp, { threadFile }), onLeft: (version) => left.push(version) });

  it.each(['throw', 'nan', 'short', 'hang', 'exit'])('(%s) is left by itself, and no row notices', async (fault) => {
    const served = await add();
    await served.swap(await faultyVersion(fault));
    expect(served.manifest.version).toBe('2.0.0');
    const answers = await Promise.all([infer(served, 9), infer(served, 1), infer(served, 20)]);
    expect(answers.map((call) => new Set(versionsOf(call)))).toEqual(Array(3).fill(new Set(['mlp@1.0.0'])));
    expect([served.manifest.version, served.dir, served.rollbacks]).toEqual(['1.0.0', mlp.dir, 1]);
    expect(left).toMatchObject([{ version: '2.0.0', to: '1.0.0', error: { code: 'SLUICE_MODEL_FAILED' } }]);
    expect(left[0]!.error.message).toMatch(/^mlp@2.0.0 failed on what 1.0.0 answers, which serves again. mlp@2.0.0: /);
    expect(versionsOf(await infer(served, 2))).toEqual(['mlp@1.0.0', 'mlp@1.0.0']);
    await served.swap(join(root, 'mlp@2.0.0'));
    expect(versionsOf(await infer(served, 1))).toEqual(['mlp@2.0.0']);
  });

  it('goes back to the last one that was proven, not to one that never was', async () => {
    const served = await add();
    await served.swap(await faultyVersion('nan', '2.1.0'));
    await served.swap(await faultyVersion('nan', '2.2.0'));
    expect(versionsOf(await infer(served, 9))).toEqual(Array(9).fill('mlp@1.0.0'));
    expect(served.manifest.version).toBe('1.0.0');
  });

  it('is not left once it is proven: its rows then fail as they do, and the one before is out of memory', async () => {
    const served = await add();
    const one = pool.bytes;
    const dir = await faultyVersion('none');
    await served.swap(dir);
    expect(pool.bytes).toBe(2 * one);
    for (let call = 0; call < rounds; call++) {
      now += watched.ms / watched.calls;
      expect(versionsOf(await infer(served, 1))).toEqual(['mlp@2.0.0']);
    }
    expect(pool.bytes).toBe(one);
    expect([served.rollbacks, left]).toEqual([0, []]);
  });

  it('is not blamed for rows that the one before cannot answer either', async () => {
    const served = await pool.add({ ...options(mlp, { threadFile: new URL('../testing/faulty-thread.ts', import.meta.url) }) });
    await served.swap(join(root, 'mlp@2.0.0'));
    const bad = mlp.value(Float32Array.of(poison.nan, ...mlp.row(0).subarray(1)));
    for (let call = 0; call < 5; call++)
      expect(versionsOf(await served.infer([bad, mlp.value(mlp.row(1))]))).toEqual(['SLUICE_MODEL_FAILED', 'mlp@2.0.0']);
    expect(served.rollbacks).toBe(0);
  });

  it('goes on where the one before cannot be loaded any more', async () => {
    pool = new ModelPool({ now: () => now, budget: 60 * 2 ** 20 });
    const gone = join(root, 'gone');
    await copyModel(mlp.dir, gone, {});
    const served = await pool.add({ ...options(mlp, { threadFile, dir: gone }) });
    await served.swap(await faultyVersion('nan'));
    await rm(gone, { recursive: true });
    expect(versionsOf(await infer(served, 9))).toEqual(Array(9).fill('SLUICE_MODEL_FAILED'));
    expect([served.manifest.version, served.rollbacks]).toEqual(['2.0.0', 0]);
  });

  it('under load loses and doubles nothing on its way there and back', async () => {
    const served = await add();
    const calls: Promise<Answers>[] = [];
    const dir = await faultyVersion('nan');
    const swapping = served.swap(dir);
    while (served.rollbacks === 0 || calls.length < 50) {
      calls.push(infer(served, 1 + (calls.length % 40)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await swapping;
    for (const [i, answers] of (await Promise.all(calls)).entries())
      expect(versionsOf(answers)).toEqual(Array(1 + (i % 40)).fill('mlp@1.0.0'));
    expect(left).toHaveLength(1);
  });
});

describe('a memory budget', () => {
  it('for one model makes two take turns, each answer by the model that was asked', async () => {
    const pool = new ModelPool({ budget: 60 * 2 ** 20 });
    const one = await pool.add(options(mlp));
    const other = await pool.add(options(logistic));
    expect(await one.stats()).toEqual([]);
    const answers = await Promise.all([infer(one, 2), infer(other, 2), infer(one, 1), infer(other, 3)]);
    expect(answers.map(versionsOf)).toEqual([
      ['mlp@1.0.0', 'mlp@1.0.0'],
      ['logistic@1.0.0', 'logistic@1.0.0'],
      ['mlp@1.0.0'],
      Array(3).fill('logistic@1.0.0'),
    ]);
    expect(pool.bytes).toBeLessThanOrEqual(60 * 2 ** 20);
    await pool.close();
  });

  it('keeps the model used last, and refuses one that is larger than itself', async () => {
    const pool = new ModelPool({ budget: 110 * 2 ** 20 });
    const [one, other] = [await pool.add(options(mlp)), await pool.add(options(logistic))];
    await infer(one, 1);
    const third = await pool.add(options(mlp));
    expect(await Promise.all([one, other, third].map(async (model) => (await model.stats()).length))).toEqual([1, 0, 1]);
    await expect(pool.add(options(mlp, { threads: 3 }))).rejects.toMatchObject({ code: 'SLUICE_CONFIG_INVALID' });
    await one.close();
    await expect(infer(one, 1)).rejects.toMatchObject({ code: 'SLUICE_CLOSED' });
    await pool.close();
  });
});
