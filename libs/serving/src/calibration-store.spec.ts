import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeModel, type TestModel } from '../testing/models.ts';
import { copyModel } from '../testing/versions.ts';
import { calibrationKey } from './calibration-key.ts';
import { CalibrationStore } from './calibration-store.ts';
import { keptCalibration } from './open-lanes.ts';
import { openServer, type BackendFacts, type ServerOptions } from './server.ts';

jest.setTimeout(60_000);

const week = 7 * 24 * 3_600_000;

describe('a calibration that is kept', () => {
  let root: string;
  let mlp: TestModel;
  let folder: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-calibration-'));
    mlp = await makeModel('mlp', join(root, 'mlp'));
  });
  beforeEach(async () => (folder = join(await mkdtemp(join(root, 'state-')), 'calibrations')));
  afterAll(() => rm(root, { recursive: true }));

  const store = (more: object = {}): CalibrationStore => new CalibrationStore({ folder, ...more });
  async function start(options: Partial<ServerOptions> = {}): Promise<BackendFacts & { answer: unknown }> {
    const server = await openServer({ dir: mlp.dir, schemas: [mlp.schema], calibration: 20, calibrations: store(), ...options });
    const [answer] = await server.infer([mlp.value(mlp.row(1))]);
    await server.close();
    return { ...server.backend, answer };
  }
  const files = async (): Promise<string[]> => (await readdir(folder)).map((name) => join(folder, name));

  it('is taken at the next start instead of timing again, by all threads, and gives the same answers', async () => {
    // A full batch that is far below what needs a thread, even where the machine is busy.
    const first = await start({ maxBatch: 8 });
    const second = await start({ maxBatch: 8, threads: 2 });
    expect([first.placement, second.placement]).toEqual(['inline', 'thread']);
    expect(second).toEqual({ ...first, placement: 'thread', why: expect.stringMatching(/; timed \d{4}-.* and kept in /) });
    expect(first.why).not.toContain('kept in');
    expect(await files()).toHaveLength(1);
  });

  it('does not count for other bytes, options, settings or with a time of more than a week', async () => {
    await start({ backend: 'wasm' });
    await copyModel(mlp.dir, join(root, 'other'), { version: '2.0.0' });
    const others = [
      { dir: join(root, 'other') },
      { maxBatch: 7 },
      { calibration: 21 },
      { calibrations: store({ now: () => Date.now() + week + 1 }) },
      { calibrations: store({ anew: true }) },
    ];
    for (const other of others) expect((await start({ backend: 'wasm', ...other })).why).not.toContain('and kept in');
    const [digest, options] = ['d', { backend: 'auto', requireGpu: false, maxBatch: 8, calibration: 20 }] as const;
    const before = calibrationKey(digest, options);
    expect(calibrationKey(digest, options)).toEqual(before);
    process.env['TF_NUM_INTRAOP_THREADS'] = '1';
    expect(calibrationKey(digest, options)).not.toEqual(before);
    delete process.env['TF_NUM_INTRAOP_THREADS'];
  });

  it.each([
    ['is cut off', (text: string) => text.slice(0, 100)],
    ['has a plan that is none', (text: string) => text.replace('"compiledUpTo"', '"upTo"')],
    ['has a time that is none', (text: string) => text.replace(/"micros": [\d.e-]+/, '"micros": -1')],
  ])('is passed over with a word when its file %s, and written anew', async (_, damage) => {
    await start();
    const [path] = await files();
    await writeFile(path!, damage(await readFile(path!, 'utf8')));
    expect((await start()).why).toContain(`${path} is no calibration and is passed over`);
    expect((await start()).why).toContain(`kept in ${path}`);
    expect(await files()).toEqual([path]);
  });

  it('is measured anew when its plan does not open any more', async () => {
    const named = process.env['SLUICE_TFJS_NODE'];
    process.env['SLUICE_TFJS_NODE'] = '/nowhere';
    try {
      await start();
      const [path] = await files();
      const kept = JSON.parse(await readFile(path!, 'utf8')) as { calibration: { plan: object } };
      kept.calibration.plan = { tensor: 'native', compiledUpTo: 0 };
      await writeFile(path!, JSON.stringify(kept));
      expect((await start()).why).toContain(`${path} does not hold any more (The backend native loaded before`);
      expect((await start()).why).toContain(`kept in ${path}`);
    } finally {
      if (named === undefined) delete process.env['SLUICE_TFJS_NODE'];
      else process.env['SLUICE_TFJS_NODE'] = named;
    }
  });

  it('is no reason to fail where the folder cannot be written', async () => {
    await writeFile(join(root, 'a-file'), '');
    const blocked = new CalibrationStore({ folder: join(root, 'a-file', 'calibrations') });
    expect((await start({ calibrations: blocked })).why).toMatch(/not kept: E/);
  });

  it('is one of 256: the oldest leave', async () => {
    await start();
    await Promise.all(Array.from({ length: 300 }, (_, i) => writeFile(join(folder, `${i}.json`), '{}')));
    await start({ maxBatch: 9 });
    expect(await files()).toHaveLength(256);
    expect(
      await keptCalibration({ dir: mlp.dir, schemas: [mlp.schema], calibration: 20, maxBatch: 9, calibrations: store() }),
    ).toMatchObject({
      calibration: {
        plan: { compiledUpTo: expect.any(Number) },
        table: expect.arrayContaining([expect.objectContaining({ executor: 'compiled' })]),
      },
    });
  });
});
