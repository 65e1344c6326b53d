import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePrediction, encodeCatalogEntry, catalogTopic, header, headerText, topicsOf } from '@sluice/contracts';
import type { CatalogEntry } from '@sluice/domain';
import { shippedModels } from '@sluice/demo';
import { observeInference, startInference, type VersionChange } from '@sluice/inference';
import { createMetrics, loadFlow, systemClock } from '@sluice/service';
import { copyModel, poisonedModel } from '@sluice/serving/testing';
import { flowRun, type FlowRun } from '../system/testing/flow-run.ts';
import { addModel } from './add.ts';
import { Catalog } from './catalog.ts';
import { listStored } from './store.ts';
import { versionsTable } from './tables.ts';

jest.setTimeout(120_000);

const topics = topicsOf('mail');
let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'sluice-models-'));
  await cp(shippedModels, models, { recursive: true });
});
afterAll(() => rm(models, { recursive: true }));

/** Makes a new version of mail-heavy in a folder elsewhere, as somebody would who trained one. */
async function newVersion(version: string): Promise<string> {
  const dir = join(models, `.new-${version}`);
  await copyModel(join(models, 'mail-heavy'), dir, { version });
  return dir;
}

async function add(version: string): Promise<CatalogEntry> {
  const { flow, schemas } = await loadFlow('infra/flows/mail.yaml');
  return addModel({ dir: await newVersion(version), flow, schemas, models, now: () => 1 });
}

async function publish(run: FlowRun, model: string, entry: CatalogEntry | null): Promise<void> {
  const publisher = await run.bus.openPublisher();
  const value = entry && encodeCatalogEntry(entry);
  await publisher.publish([{ topic: catalogTopic, partition: 0, key: Buffer.from(model), value }]);
}

/** Versions of mail-heavy that answered items from `from` on. */
async function versions(run: FlowRun, from = 0): Promise<string[]> {
  const wanted = new Set(run.items.slice(from).map(({ id }) => id));
  const all = (await run.bus.readAll([topics.predictions])).map((record) => decodePrediction(record.value!));
  const predictions = all.filter(({ id }) => wanted.has(id));
  return predictions.flatMap(({ answers }) => answers.filter(({ model }) => model === 'mail-heavy').map(({ version }) => version));
}

describe('a version added to a running system', () => {
  it('takes traffic while requests flow: none is lost, none answered twice, each prediction names the version that gave it', async () => {
    await using run = await flowRun({ events: 400, models });
    const entry = await add('1.1.0');
    await run.push(0, 100);
    await publish(run, 'mail-heavy', entry);
    // The swap runs while these are served.
    await run.push(100, 300);
    await run.system.inference.catalog.settled();
    await run.push(300, 400);
    const origins = (await run.bus.readAll([topics.predictions, topics.deadLetters])).map((record) =>
      headerText(record.headers, header.origin),
    );
    expect([origins.length, new Set(origins).size]).toEqual([400, 400]);
    expect(new Set(await versions(run))).toEqual(new Set(['1.0.0', '1.1.0']));
    expect(new Set(await versions(run, 300))).toEqual(new Set(['1.1.0']));
    expect(run.changes).toEqual([{ model: 'mail-heavy', version: '1.1.0' }]);
  });

  it('is refused when its bytes are not those that were added, and the former goes on', async () => {
    await using run = await flowRun({ events: 60, models });
    const entry = await add('1.2.0');
    const path = join(models, entry.folder, 'manifest.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"licence"', ' "licence"'));
    await publish(run, 'mail-heavy', entry);
    await run.system.inference.catalog.settled();
    await run.push(0, 60);
    expect(run.changes).toMatchObject([{ model: 'mail-heavy', version: '1.2.0', refused: { code: 'SLUICE_MODEL_INVALID' } }]);
    expect(new Set(await versions(run))).toEqual(new Set(['1.0.0']));
  });

  it('is left again when it is removed from the catalog', async () => {
    await using run = await flowRun({ events: 60, models });
    await publish(run, 'mail-heavy', await add('1.3.0'));
    await run.system.inference.catalog.settled();
    await publish(run, 'mail-heavy', null);
    await run.system.inference.catalog.settled();
    expect(run.changes.map(({ version }) => version)).toEqual(['1.3.0', '1.0.0']);
  });
});

describe('a version that fails where the one before it answered', () => {
  /** Its answer is NaN for mails without HTML; column 18435 of mail-heavy is htmlShare. */
  async function poisoned(version: string): Promise<CatalogEntry> {
    const dir = join(models, `.poisoned-${version}`);
    await poisonedModel(join(models, 'mail-heavy'), dir, { version, column: 18_435 });
    return addModel({ ...(await loadFlow('infra/flows/mail.yaml')), dir, models, now: () => 1 });
  }

  it('is left by itself: nothing is lost, predictions name their version, and log, metric, health and list say so', async () => {
    await using run = await flowRun({ events: 300, models });
    await run.push(0, 50);
    await publish(run, 'mail-heavy', await poisoned('3.0.0'));
    await run.system.inference.catalog.settled();
    for (let from = 50; from < 300; from += 50) await run.push(from, from + 50);
    const records = await run.bus.readAll([topics.predictions, topics.deadLetters]);
    const origins = new Set(records.map((record) => headerText(record.headers, header.origin)));
    expect([records.length, origins.size, (await run.bus.readAll([topics.deadLetters])).length]).toEqual([300, 300, 0]);
    expect(new Set(await versions(run, 250))).toEqual(new Set(['1.0.0']));
    expect(run.changes).toMatchObject([
      { model: 'mail-heavy', version: '3.0.0' },
      { model: 'mail-heavy', version: '3.0.0', backTo: '1.0.0', refused: { code: 'SLUICE_MODEL_FAILED' } },
    ]);
    expect(run.changes[1]!.refused!.message).toMatch(/^mail-heavy@3.0.0 failed on what 1.0.0 answers.*output \d is NaN/);

    const metrics = createMetrics({ app: 'inference', instance: 'test' }, { process: false });
    observeInference(metrics, run.system.inference, systemClock);
    const text = await metrics.text();
    expect(text).toMatch(/sluice_worker_rollbacks_total{tier="heavy",.*} 1\n/);
    expect(text).toMatch(/sluice_worker_threads_lost_total{tier="heavy",.*} 0\n/);
    expect(text).toMatch(/sluice_worker_info{tier="heavy",model="mail-heavy",version="1.0.0"/);

    await run.system.inference.reportHealth();
    const catalog = new Catalog(run.bus, Date.now);
    const healths = await catalog.healths();
    expect(healths.find(({ model }) => model === 'mail-heavy')).toMatchObject({ version: '1.0.0', refusedVersion: '3.0.0' });
    const lines = versionsTable(await listStored(models), await catalog.entries(), healths).split('\n');
    expect(lines.find((line) => line.startsWith('mail-heavy') && line.includes(' 3.0.0 '))).toMatch(
      /yes +0 +1 .* mail-heavy@3.0.0 failed on what 1.0.0 answers/,
    );
    expect(lines.find((line) => /^mail-heavy +1\.0\.0/.test(line))).toMatch(/^mail-heavy +1\.0\.0 +1 /);
  });

  it('is not tried again by a worker that starts anew, which says so too, until it is added once more', async () => {
    await using run = await flowRun({ events: 60, models });
    const entry = await poisoned('3.1.0');
    await publish(run, 'mail-heavy', entry);
    await run.system.inference.catalog.settled();
    await run.push(0, 60);
    await run.system.inference.reportHealth();

    const { flow, schemas } = run.files;
    const started = async (instance: string): Promise<[string, VersionChange[]]> => {
      const changes: VersionChange[] = [];
      const tiers = flow.tiers.filter(({ model }) => model === 'mail-heavy');
      const inference = await startInference({
        ...{ bus: run.bus, flow, schemas, models, tiers, clock: systemClock, instance, backend: 'wasm' },
        onVersion: (change) => void changes.push(change),
      });
      await inference.reportHealth();
      await inference.close();
      return [inference.workers[0]!.server.manifest.version, changes];
    };
    const again = { model: 'mail-heavy', version: '3.1.0', refused: { code: 'SLUICE_MODEL_FAILED' } };
    expect(await started('second')).toMatchObject(['1.0.0', [again]]);
    const second = (await new Catalog(run.bus, Date.now).healths()).find(({ instance }) => instance === 'second');
    expect(second).toMatchObject({ refusedVersion: '3.1.0', refusedWhy: expect.stringMatching(/failed on what 1.0.0 answers/) });
    expect(second).toMatchObject({ version: '1.0.0', refusedCode: 'SLUICE_MODEL_FAILED' });

    await publish(run, 'mail-heavy', { ...entry, at: Date.now() + 1 });
    await run.system.inference.catalog.settled();
    expect(await started('third')).toEqual(['3.1.0', [{ model: 'mail-heavy', version: '3.1.0' }]]);
  });
});

describe('adding a model', () => {
  const at = (dir: string) => ({ dir, models, now: () => 1 });

  it('measures every executor, and refuses those that are not there with the reason', async () => {
    const { measured } = await add('2.0.0');
    expect(measured.map(({ executor, refused }) => [executor, refused === ''])).toEqual([
      ['cpu', true],
      ['compiled', true],
      ['wasm', true],
      ['native', expect.any(Boolean)],
      ['frozen', expect.any(Boolean)],
      ['webgpu', expect.any(Boolean)],
    ]);
    for (const { apart, otherLabels } of measured) expect([apart <= 1e-5, otherLabels]).toEqual([true, 0]);
  });

  it('refuses a version that is there with other bytes', async () => {
    await add('2.1.0');
    const files = await loadFlow('infra/flows/mail.yaml');
    await copyModel(join(models, 'mail-heavy'), join(models, '.other'), { version: '2.1.0', description: 'another one' });
    await expect(addModel({ ...files, ...at(join(models, '.other')) })).rejects.toMatchObject({ code: 'SLUICE_MODEL_INVALID' });
  });

  it('refuses a model that no tier of the flow is served by', async () => {
    const files = await loadFlow('infra/flows/mail.yaml');
    await copyModel(join(models, 'mail-heavy'), join(models, '.stranger'), { model: 'stranger' });
    await expect(addModel({ ...files, ...at(join(models, '.stranger')) })).rejects.toMatchObject({
      message: expect.stringContaining('No tier of flow mail is served by stranger'),
    });
  });

  it('fits the calibration on a labelled sample', async () => {
    const files = await loadFlow('infra/flows/mail.yaml');
    const request = {
      receivedAt: 0,
      senderDomain: { string: 'a.org' },
      bodySize: 9,
      partCount: 1,
      linkCount: 0,
      htmlShare: 0,
      upperShare: 0,
    };
    const line = (label: string, body: string) => JSON.stringify({ label, request: { ...request, subject: 'hello', body } });
    const sample = join(models, '.sample.jsonl');
    await writeFile(sample, ['spam', 'ham', 'ham'].map((label, i) => line(label, `free money ${i}`)).join('\n'));
    const entry = await addModel({ ...files, ...at(await newVersion('2.2.0')), sample });
    const { calibration } = JSON.parse(await readFile(join(models, entry.folder, 'manifest.json'), 'utf8'));
    expect(calibration).toMatchObject({ rows: 3 });
    expect(calibration.after).toBeLessThanOrEqual(calibration.before);
    await writeFile(sample, line('eggs', 'and ham'));
    await expect(addModel({ ...files, ...at(await newVersion('2.3.0')), sample })).rejects.toMatchObject({ code: 'SLUICE_DATA_MISSING' });
  });
});
