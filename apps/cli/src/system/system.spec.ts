import {
  decodeExample,
  decodePolicy,
  decodePrediction,
  decodeTag,
  header,
  headerBytes,
  headerText,
  policyTopic,
  readDeadLetter,
  topicsOf,
} from '@sluice/contracts';
import type { PolicySnapshot } from '@sluice/domain';
import { shippedModels } from '@sluice/demo';
import { Learner } from '@sluice/learning';
import { compileSignature, initialPolicy, replayTrail, route } from '@sluice/routing';
import { loadManifests, relativeCosts } from '@sluice/service';
import type { InRecord } from '@sluice/streaming';
import { replayLog } from '../replay.ts';
import { flowRun, type FlowRun } from './testing/flow-run.ts';

jest.setTimeout(120_000);

const topics = topicsOf('mail');

async function policiesOf(run: FlowRun): Promise<Map<number, PolicySnapshot>> {
  const { flow } = run.files;
  const first = initialPolicy(flow);
  const published = (await run.bus.readAll([policyTopic])).map((record) => decodePolicy(record.value!));
  return new Map([first, ...published].map((policy) => [policy.version, policy]));
}

const originOf = (record: InRecord): string => headerText(record.headers, header.origin)!;

describe('the whole system on the in-memory driver', () => {
  it('answers every request exactly once: predictions, dead letters and declared drops add up', async () => {
    await using run = await flowRun({ events: 300, poison: 42 });
    await run.push(0, run.items.length);
    const requests = await run.bus.readAll([topics.requests]);
    const answers = await run.bus.readAll([topics.predictions, topics.deadLetters]);
    const origins = answers.map(originOf);
    expect(requests).toHaveLength(342);
    expect(new Set(origins).size).toBe(origins.length);
    expect(new Set(origins)).toEqual(new Set(requests.map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`)));
  });

  it('refuses each kind of malformed request with the code the error table names, its bytes untouched', async () => {
    await using run = await flowRun({ events: 100, poison: 28 });
    await run.push(0, run.items.length);
    const requests = new Map(
      (await run.bus.readAll([topics.requests])).map((record) => [`${record.topic}/${record.partition}/${record.offset}`, record]),
    );
    const letters = await run.bus.readAll([topics.deadLetters]);
    const expected = run.items.flatMap(({ poison }) => (poison === undefined ? [] : [poison.code]));
    expect(letters.map((letter) => readDeadLetter(letter).code).sort()).toEqual(expected.sort());
    for (const letter of letters) {
      const original = requests.get(originOf(letter))!;
      expect(letter.value).toEqual(original.value);
      expect(letter.key).toEqual(original.key);
    }
  });

  it('loses and doubles nothing when transactions abort at random', async () => {
    let turn = 0;
    await using run = await flowRun({ events: 300, poison: 14, abort: () => turn++ % 3 === 0 });
    await run.push(0, run.items.length);
    await run.settleOutcomes();
    const origins = (await run.bus.readAll([topics.predictions, topics.deadLetters])).map(originOf);
    expect(new Set(origins).size).toBe(origins.length);
    expect(origins).toHaveLength(314);
    const truths = (await run.bus.readAll([topics.examples]))
      .map((record) => decodeExample(record.value!))
      .filter(({ part }) => part === 'truth');
    expect(new Set(truths.map(({ id }) => id)).size).toBe(truths.length);
    expect(truths).toHaveLength(300);
  });

  it('keeps the order of a key on every topic of its way', async () => {
    await using run = await flowRun({ events: 300 });
    for (let from = 0; from < 300; from += 50) await run.push(from, from + 50);
    for (const topic of [...run.files.flow.tiers.map(({ model }) => topics.model(model)), topics.predictions]) {
      const last = new Map<string, number>();
      for (const record of await run.bus.readAll([topic])) {
        const [origin, partition, offset] = headerText(record.headers, header.source)!.split('/');
        const way = `${origin}/${partition} -> ${record.topic}/${record.partition}`;
        expect(Number(offset)).toBeGreaterThan(last.get(way) ?? -1);
        last.set(way, Number(offset));
      }
    }
  });

  it('says of every record on its way to a model whether somebody waits for it, readable without a schema', async () => {
    await using run = await flowRun({ events: 100 });
    await run.push(0, 100);
    const records = await run.bus.readAll(run.files.flow.tiers.map(({ model }) => topics.model(model)));
    const shadows = records.map(({ headers }) => decodeTag(headerBytes(headers, header.tag)!).shadow);
    expect(records.map(({ headers }) => header.shadow in headers)).toEqual(shadows);
    expect(new Set(shadows)).toEqual(new Set([true, false]));
  });
});

describe('what is logged', () => {
  it('gives every routing decision again from the request bytes, and every stop decision from the prediction', async () => {
    await using run = await flowRun({ events: 900 });
    for (let from = 0; from < 900; from += 150) {
      await run.push(from, from + 150);
      await run.settleOutcomes();
    }
    const { flow, schemas } = run.files;
    const signature = compileSignature(flow, schemas);
    const policies = await policiesOf(run);
    const versions = new Set<number>();
    for (const record of await run.bus.readAll(flow.tiers.map(({ model }) => topics.model(model)))) {
      const tag = decodeTag(headerBytes(record.headers, header.tag)!);
      const first = tag.trail[0]!;
      if (tag.trail.length > 1 || tag.shadow || first.kind === 'rule') continue;
      versions.add(tag.policyVersion);
      const read = signature.read({
        value: record.value!,
        schema: tag.schema,
        start: 10,
        requestedAt: tag.requestedAt,
        headers: record.headers,
        deadlineAt: tag.deadlineAt,
        now: tag.routedAt,
      });
      const again = route({
        id: tag.id,
        source: tag.source,
        flow,
        policy: policies.get(tag.policyVersion)!,
        costs: tag.slip.tiers.map(({ cost }) => cost),
        queuePrices: tag.slip.tiers.map(({ queuePrice }) => queuePrice),
        waits: tag.slip.tiers.map(({ wait }) => wait),
        bars: tag.slip.tiers.map(({ bar }) => bar),
        deadlineAt: tag.deadlineAt,
        signature: read.row,
        signatureWidth: signature.width,
        segment: read.segment,
        now: tag.routedAt,
      });
      expect(again.slip).toEqual(tag.slip);
      expect(again.step).toEqual(first);
    }
    expect(versions.size).toBeGreaterThan(2);
    for (const record of await run.bus.readAll([topics.predictions])) {
      expect(replayTrail({ flow, signatureWidth: signature.width, prediction: decodePrediction(record.value!), policies })).toBeUndefined();
    }
  });

  it('gives every decision again under policies folded anew from the examples, and finds one that was altered', async () => {
    await using run = await flowRun({ events: 600 });
    for (let from = 0; from < 600; from += 100) {
      await run.push(from, from + 100);
      await run.settleOutcomes();
    }
    const { flow, schemas } = run.files;
    const { width } = compileSignature(flow, schemas);
    const predictions = (await run.bus.readAll([topics.predictions])).map(({ value }) => decodePrediction(value!));
    const examples = (await run.bus.readAll([topics.examples])).map(({ value }) => decodeExample(value!));
    const replayed = replayLog(flow, width, { predictions, examples });
    expect(replayed.faults).toEqual([]);
    expect(replayed.policies).toBeGreaterThan(3);
    const { trail, ...rest } = predictions.at(-1)!;
    const forged = { ...rest, trail: trail.map((step) => ({ ...step, harm: step.harm + 1e-6 })) };
    expect(replayLog(flow, width, { predictions: [...predictions.slice(0, -1), forged], examples }).faults).toHaveLength(1);
    expect(replayLog(flow, width, { predictions, examples: examples.slice(5) }).faults.length).toBeGreaterThan(0);
  });

  it('gives the last policy again, bit for bit, by folding the examples anew', async () => {
    await using run = await flowRun({ events: 600 });
    for (let from = 0; from < 600; from += 100) {
      await run.push(from, from + 100);
      await run.settleOutcomes();
    }
    const { flow, schemas } = run.files;
    const costs = relativeCosts(flow, await loadManifests(flow, shippedModels));
    const learner = Learner.create(flow, compileSignature(flow, schemas).width, costs);
    const examples = await run.bus.readAll([topics.examples]);
    for (const record of examples) learner.fold(decodeExample(record.value!));
    const published = await run.bus.readAll([policyTopic]);
    expect(published.length).toBeGreaterThan(3);
    expect(decodePolicy(published.at(-1)!.value!)).toEqual(learner.snapshot(examples.at(-1)!.offset + 1));
  });
});
