import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBroker, type BrokerHandle } from '@sluice/broker';
import { decodePrediction, header, headerText, topicsOf } from '@sluice/contracts';
import type { Health } from '@sluice/domain';
import { shippedModels } from '@sluice/demo';
import { copyModel, poisonedModel } from '@sluice/serving/testing';
import { kafkaRun, type KafkaRun } from '../system/testing/kafka-run.ts';
import { addModel } from './add.ts';
import { Catalog } from './catalog.ts';

jest.setTimeout(300_000);

let broker: BrokerHandle;
let models: string;
beforeAll(async () => {
  // Of its own: all workers of a cluster read one catalog, those of suites that run beside this one too.
  broker = await openBroker({ choice: 'jvm' });
  models = await mkdtemp(join(tmpdir(), 'sluice-models-'));
  await cp(shippedModels, models, { recursive: true });
  await copyModel(join(models, 'mail-heavy'), join(models, '.new'), { version: '1.1.0' });
});
afterAll(async () => {
  await broker.close();
  await rm(models, { recursive: true });
});

async function heavyVersions({ bus, files }: KafkaRun): Promise<string[]> {
  const predictions = (await bus.readAll([topicsOf(files.flow.flow).predictions])).map((record) => decodePrediction(record.value!));
  return predictions.flatMap(({ answers }) => answers.filter(({ model }) => model === 'mail-heavy').map(({ version }) => version));
}

/** What the heavy worker says once it refuses a version, or after a minute. */
async function refusal(catalog: Catalog, flow: string): Promise<Health | undefined> {
  for (let tries = 60; ; tries--) {
    const health = (await catalog.healths()).find((each) => each.flow === flow && each.model === 'mail-heavy');
    if (tries === 0 || health?.refusedVersion) return health;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

describe('a poisoned version added to processes on a real broker', () => {
  it('is left by itself under load without a loss, a double or a dead letter of a good event', async () => {
    await using run = await kafkaRun({ broker, events: 3000, poison: 50, rate: 100, models });
    const catalog = new Catalog(run.bus, Date.now);
    const { flow, schemas } = run.files;
    // Its answer is NaN for mails without HTML; column 18435 of mail-heavy is htmlShare.
    await poisonedModel(join(models, 'mail-heavy'), join(models, '.poisoned'), { version: '1.2.0', column: 18_435 });
    const entry = await addModel({ dir: join(models, '.poisoned'), flow, schemas, models, now: Date.now });
    try {
      const streaming = run.stream.run();
      await run.collector.until(() => run.collector.answered > 400, 60_000);
      await catalog.publish(entry);
      const health = await refusal(catalog, flow.flow);
      expect(health).toMatchObject({ version: '1.0.0', refusedVersion: '1.2.0', refusedWhy: expect.stringContaining('is NaN') });
      await streaming;
      expect(await run.collector.until(() => run.collector.answered >= 3050, 90_000)).toBe(true);
      expect(await run.verdict()).toMatchObject({ requests: 3050, lost: 0, duplicated: 0, orderViolations: 0, unexplained: 0, faults: [] });
      const deadLetters = await run.bus.readAll([topicsOf(flow.flow).deadLetters]);
      expect(deadLetters.map(({ headers }) => headerText(headers, header.deadLetter)?.includes('SLUICE_MODEL_FAILED'))).not.toContain(true);
      expect((await heavyVersions(run)).at(-1)).toBe('1.0.0');
    } finally {
      await catalog.withdraw('mail-heavy');
    }
  });
});

describe('a version added to processes on a real broker', () => {
  it('is taken up under load without a loss or a double, and again after the worker is killed', async () => {
    await using run = await kafkaRun({ broker, events: 3000, poison: 50, rate: 100, models });
    const catalog = new Catalog(run.bus, Date.now);
    const { flow, schemas } = run.files;
    const entry = await addModel({ dir: join(models, '.new'), flow, schemas, models, now: Date.now });
    try {
      const streaming = run.stream.run();
      await run.collector.until(() => run.collector.answered > 600, 60_000);
      await catalog.publish(entry);
      expect(await catalog.taken('mail-heavy', '1.1.0')).toEqual(['inference-heavy']);
      await run.system.crash('inference-heavy');
      // Until it is back nobody has said anything for a while, on a busy machine.
      let back: readonly string[] | undefined = [];
      while (back?.length === 0) back = await catalog.taken('mail-heavy', '1.1.0');
      expect(back).toEqual(['inference-heavy']);
      await streaming;
      expect(await run.collector.until(() => run.collector.answered >= 3050, 90_000)).toBe(true);
      expect(await run.verdict()).toMatchObject({ requests: 3050, lost: 0, duplicated: 0, orderViolations: 0, unexplained: 0, faults: [] });
      expect(new Set(await heavyVersions(run))).toEqual(new Set(['1.0.0', '1.1.0']));
    } finally {
      await catalog.withdraw('mail-heavy');
    }
  });
});
