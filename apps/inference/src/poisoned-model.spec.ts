import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeHealth,
  decodePrediction,
  encodeSingleObject,
  encodeTag,
  header,
  headerText,
  healthTopic,
  topicsOf,
  topicSpecs,
} from '@sluice/contracts';
import { parseFlow, type Clock, type Flow, type Prediction, type Tag } from '@sluice/domain';
import { copyModel, faultyThread, makeModel, poison, type TestModel } from '@sluice/serving/testing';
import { memoryBus, type MemoryBus } from '@sluice/streaming';
import { startInference, type Inference } from './app.ts';

jest.setTimeout(120_000);

const topics = topicsOf('toy');
const tiers = [
  { name: 'light', model: 'mlp' },
  { name: 'heavy', model: 'logistic' },
];

let root: string;
let mlp: TestModel;
let flow: Flow;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-poison-'));
  mlp = await makeModel('mlp', join(root, 'made'));
  await copyModel(mlp.dir, join(root, 'mlp'), { limits: { timeoutMs: 2000, maxBatch: 128, memoryMb: 64 } });
  await makeModel('logistic', join(root, 'logistic'));
  flow = parseFlow({
    flow: 'toy',
    description: 'Thirty numbers, two labels.',
    request: { schemas: ['numbers.avsc'], partitions: 1 },
    labels: mlp.manifest.labels,
    signature: [{ field: 'x0', kind: 'number', min: 0, max: 1 }],
    tiers,
    target: {},
  });
});
afterAll(() => rm(root, { recursive: true }));

interface Run extends AsyncDisposable {
  readonly bus: MemoryBus;
  readonly inference: Inference;
}

/** Both tiers on the in-memory driver; the light one's thread is faulty. */
async function run(maxSlice: number, of = flow, clock: Clock = { now: () => 1000 }): Promise<Run> {
  const bus = memoryBus();
  await bus.ensureTopics(topicSpecs(of));
  const inference = await startInference({
    ...{ bus, flow: of, schemas: [mlp.schema], models: root, tiers: of.tiers, clock, instance: 'test', maxSlice },
    ...{ backend: 'wasm' as const, threadFiles: new Map([['light', faultyThread]]) },
  });
  const close = async (): Promise<void> => {
    await inference.close();
    await bus.close();
  };
  return { bus, inference, [Symbol.asyncDispose]: close };
}

function tag(id: number): Tag {
  const place = { tier: '', model: '', cost: 1, queuePrice: 0, wait: 0, bar: '' };
  return {
    ...{ id: `e${id}`, flow: 'toy', source: { topic: topics.requests, partition: 0, offset: id }, requestedAt: 1, routedAt: 2 },
    ...{ deadlineAt: 1e6, policyVersion: 0, schema: 0, shadow: false, propensity: 1 },
    slip: {
      ...{ position: 0, threshold: 1, heavyOnly: false, auditRate: 0, auditDraw: 1, budget: null, segment: '' },
      tiers: tiers.map(({ name, model }) => ({ ...place, tier: name, model })),
    },
    signature: { indices: new Uint16Array(0), values: new Float32Array(0) },
    ...{ trail: [], answers: [] },
  };
}

/** Sends rows to the light tier, as requests numbered from `from` on, and returns what became of each, in their order. */
async function send({ bus }: Run, rows: readonly Float32Array[], from = 0): Promise<Prediction[]> {
  const publisher = await bus.openPublisher();
  await publisher.publish(
    rows.map((row, i) => ({
      topic: topics.model('mlp'),
      partition: 0,
      key: null,
      value: encodeSingleObject(mlp.schema, Object.fromEntries(Array.from(row, (value, column) => [`x${column}`, value]))),
      headers: { [header.tag]: encodeTag(tag(from + i)), [header.origin]: `${topics.requests}/0/${from + i}` },
    })),
  );
  await bus.settle();
  expect(await bus.readAll([topics.deadLetters])).toEqual([]);
  const records = (await bus.readAll([topics.predictions])).slice(from);
  expect(records.map((record) => headerText(record.headers, header.origin)).sort()).toEqual(
    rows.map((_, i) => `${topics.requests}/0/${from + i}`).sort(),
  );
  const predictions = records.map((record) => decodePrediction(record.value!));
  return predictions.sort((a, b) => a.source.offset - b.source.offset);
}

/** A clock that goes on by a millisecond whenever it is asked, so that work takes time. */
function steps(): Clock {
  let now = 1000;
  return { now: () => now++ };
}

const clean = (n: number): Float32Array[] => Array.from({ length: n }, (_, i) => mlp.row(i));
const poisoned = (kind: keyof typeof poison): Float32Array => Float32Array.of(poison[kind], ...mlp.row(0).subarray(1));
const fellBack = ({ trail }: Prediction): boolean =>
  trail.some(
    ({ kind, tier, reason }) => kind === 'fallback' && tier === 'light' && /^(model-failed|model-lost|breaker-open):heavy$/.test(reason),
  );

it('a tier with memory for answers asks its model once for equal requests, and the metric says so', async () => {
  const cached = parseFlow({ ...flow, tiers: [{ ...tiers[0], cacheMb: 1 }, tiers[1]] });
  await using worker = await run(8, cached);
  const predictions = await send(
    worker,
    Array.from({ length: 24 }, (_, i) => mlp.row(i % 3)),
  );
  expect(predictions.map(({ answers }) => answers[0]!.confidence)).toEqual(
    Array.from({ length: 24 }, (_, i) => predictions[i % 3]!.answers[0]!.confidence),
  );
  expect(worker.inference.workers[0]!.cache!.hitRate).toBeCloseTo(21 / 24, 9);
});

describe('a poisoned model', () => {
  it.each(Object.keys(poison) as (keyof typeof poison)[])(
    'that fails on two rows (%s) costs them their tier and the others nothing',
    async (kind) => {
      await using worker = await run(64);
      const rows = clean(20);
      rows[4] = poisoned(kind);
      rows[13] = poisoned(kind);
      const predictions = await send(worker, rows);
      expect(predictions.flatMap((prediction, i) => (fellBack(prediction) ? [i] : []))).toEqual([4, 13]);
      expect([predictions[4]!.tier, predictions[13]!.tier]).toEqual(['heavy', 'heavy']);
      expect(worker.inference.workers[0]!.breaker!.isOpen).toBe(false);
      expect(await worker.inference.workers[0]!.server.stats()).toMatchObject([{ tensors: expect.any(Number) }]);
    },
  );

  it('whose flow falls back on remembered answers gives what the former version answered, and hands on what nobody remembers', async () => {
    const next = join(root, 'mlp@2.0.0');
    await copyModel(join(root, 'mlp'), next, { version: '2.0.0' });
    const breaker = { failures: 1, dwellMs: 60_000, longestMs: 60_000 };
    const declared = { ...flow, fallback: ['cached', 'heavier'], breaker, tiers: [{ ...tiers[0], cacheMb: 1 }, tiers[1]] };
    await using worker = await run(1, parseFlow(declared));
    const [before] = await send(worker, [mlp.row(1)]);
    await worker.inference.workers[0]!.server.swap(next);
    const predictions = await send(worker, [poisoned('throw'), mlp.row(1), mlp.row(7)], 1);
    expect(predictions.map(({ trail }) => trail.find(({ kind }) => kind === 'fallback')?.reason)).toEqual([
      'model-failed:heavy',
      'breaker-open:cached=1.0.0',
      'breaker-open:heavy',
    ]);
    expect(predictions[1]!.answers[0]).toEqual(before!.answers[0]);
    await worker.inference.reportHealth();
    const said = (await worker.bus.readAll([healthTopic])).map(({ value }) => decodeHealth(value!));
    expect(said.map(({ model, breakerOpen }) => [model, breakerOpen])).toEqual([
      ['mlp', true],
      ['logistic', false],
    ]);
  });

  it('that is behind its topic is left alone where the flow says so, and heavy answers meanwhile', async () => {
    await using worker = await run(4, parseFlow({ ...flow, breaker: { lagMs: 10_000, dwellMs: 60_000, longestMs: 60_000 } }), steps());
    expect((await send(worker, clean(4))).map(({ tier }) => tier)).toEqual(Array(4).fill('light'));
    const { inference, bus } = worker;
    await inference.reportHealth();
    bus.lag = async () => 1e6;
    expect(inference.workers[0]!.breaker!.isOpen).toBe(false);
    await inference.reportHealth();
    expect((await send(worker, clean(4), 4)).flatMap(({ trail }) => trail.map(({ reason }) => reason))).toContain('breaker-open:heavy');
    const last = decodeHealth((await bus.readAll([healthTopic])).findLast(({ key }) => key!.toString().includes('mlp'))!.value!);
    expect(last.breakerOpen).toBe(true);
  });

  it.each(['throw', 'hang'] as const)('that fails on everything (%s) is left alone, and heavy answers all of it', async (kind) => {
    await using worker = await run(4);
    const predictions = await send(
      worker,
      Array.from({ length: 24 }, () => poisoned(kind)),
    );
    expect(predictions.map(({ tier }) => tier)).toEqual(Array(24).fill('heavy'));
    expect(predictions.every(fellBack)).toBe(true);
    expect(worker.inference.workers[0]!.breaker!.isOpen).toBe(true);
  });
});
