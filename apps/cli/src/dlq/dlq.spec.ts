import { passJudgement } from '@sluice/broker';
import { deadLetter, header, headerText, topicsOf, topicSpecs } from '@sluice/contracts';
import { demoFlowFile } from '@sluice/demo';
import { SluiceError } from '@sluice/domain';
import { loadFlow } from '@sluice/service';
import { memoryBus, type MemoryBus } from '@sluice/streaming';
import { readLetters } from './letters.ts';
import { redrive } from './redrive.ts';
import { renderCounts, renderLetter } from './render.ts';

const topics = topicsOf('mail');
const codes = ['SLUICE_MODEL_FAILED', 'SLUICE_AVRO_INVALID', 'SLUICE_DUPLICATE_ID'] as const;

/** Dead letters of three codes from the request topic, one a second. */
async function busWithLetters(): Promise<MemoryBus> {
  const { flow } = await loadFlow(demoFlowFile('mail'));
  const bus = memoryBus();
  await bus.ensureTopics(topicSpecs(flow));
  const publisher = await bus.openPublisher();
  const letters = codes.map((code, offset) => {
    const record = {
      topic: topics.requests,
      partition: 1,
      offset,
      timestamp: 5,
      key: Buffer.from('k'),
      value: Buffer.of(offset),
      headers: {},
    };
    const letter = deadLetter({ record, error: new SluiceError(code, 'why'), stage: 'router', topic: topics.deadLetters, attempts: 1 });
    return { ...letter, timestamp: 1_000 * offset };
  });
  await publisher.publish(letters);
  return bus;
}

describe('sluice dlq', () => {
  it('finds dead letters by code and time, oldest first', async () => {
    const bus = await busWithLetters();
    const found = async (filter: Parameters<typeof readLetters>[2]) => (await readLetters(bus, 'mail', filter)).map(({ code }) => code);
    expect(await found({})).toEqual(codes);
    expect(await found({ code: 'SLUICE_AVRO_INVALID' })).toEqual(['SLUICE_AVRO_INVALID']);
    expect(await found({ since: 1_000, until: 2_000 })).toEqual(['SLUICE_AVRO_INVALID']);
    expect(await found({ stage: 'elsewhere' })).toEqual([]);
  });

  it('says what a letter is about without a byte of its value', async () => {
    const letters = await readLetters(await busWithLetters(), 'mail');
    expect(renderLetter(letters[0]!)).toContain(
      'refused by router after 1 attempt(s), read from mail.requests/1/0, origin mail.requests/1/0',
    );
    expect(renderCounts(letters)).toContain('1 x SLUICE_MODEL_FAILED');
  });

  it('sends a record again as it was, under the id of its first place, and leaves declared drops', async () => {
    const bus = await busWithLetters();
    expect(await redrive(bus, 'mail', {})).toMatchObject({ before: 0, left: 1 });
    const [first, second] = await bus.readAll([topics.requests]);
    expect([first!.partition, first!.value, second!.value]).toEqual([1, Buffer.of(0), Buffer.of(1)]);
    expect(headerText(first!.headers, header.ceId)).toBe('mail.requests/1/0');
    expect(headerText(first!.headers, header.redriven)).toBe('mail.requests/1/0');
    expect(Object.keys(first!.headers)).not.toContain(header.deadLetter);
  });

  it('sends nothing twice, however often it is called', async () => {
    const bus = await busWithLetters();
    await redrive(bus, 'mail', { code: 'SLUICE_MODEL_FAILED' });
    expect(await redrive(bus, 'mail', {})).toMatchObject({ before: 1 });
    expect((await redrive(bus, 'mail', {})).sent).toEqual([]);
    expect(await bus.readAll([topics.requests])).toHaveLength(2);
  });

  it('to the topic of a model makes its answer the one that counts, and not the dead letter', async () => {
    const bus = await busWithLetters();
    const publisher = await bus.openPublisher();
    const model = topics.model('mail-heavy');
    const routed = { topic: model, partition: 0, key: null, value: Buffer.of(7) };
    const origin = { [header.origin]: `${topics.requests}/0/0` };
    await publisher.publish([{ ...routed, topic: topics.requests }]);
    await publisher.publish([{ ...routed, headers: { ...origin, [header.source]: `${topics.requests}/0/0` } }]);
    const [record] = await bus.readAll([model]);
    const error = new SluiceError('SLUICE_MODEL_FAILED', 'why');
    await publisher.publish([deadLetter({ record: record!, error, stage: 'mail-heavy', topic: topics.deadLetters, attempts: 1 })]);
    const verdict = () => passJudgement({ broker: { kind: 'memory', brokers: undefined }, bus, topics, models: ['mail-heavy'] });
    expect(await verdict()).toMatchObject({ deadLetters: 3, redriven: 0, lost: 0 });
    await redrive(bus, 'mail', { stage: 'mail-heavy' });
    expect(await verdict()).toMatchObject({ deadLetters: 2, redriven: 1, lost: 1 });
    const again = (await bus.readAll([model]))[1]!;
    const answer = { topic: topics.predictions, key: null, value: null };
    await publisher.publish([{ ...answer, headers: { [header.origin]: again.headers[header.origin], [header.source]: `${model}/0/1` } }]);
    expect(await verdict()).toMatchObject({ predictions: 1, deadLetters: 2, redriven: 1, lost: 0, duplicated: 0 });
  });

  it('counts the attempts of a record that is refused again, and remembers where it stood first', async () => {
    const bus = await busWithLetters();
    await redrive(bus, 'mail', { code: 'SLUICE_MODEL_FAILED' });
    const [record] = await bus.readAll([topics.requests]);
    const again = deadLetter({
      record: record!,
      error: new SluiceError('SLUICE_MODEL_FAILED', 'still'),
      stage: 'router',
      topic: topics.deadLetters,
      attempts: 1,
    });
    await (await bus.openPublisher()).publish([{ ...again, timestamp: 9_000 }]);
    const [letter] = await readLetters(bus, 'mail', { since: 9_000 });
    expect(letter!.attempts).toBe(2);
    expect((await redrive(bus, 'mail', { since: 9_000 })).sent).toHaveLength(1);
    const last = (await bus.readAll([topics.requests])).at(-1)!;
    expect(headerText(last.headers, header.redriven)).toBe('mail.requests/1/0');
    expect(headerText(last.headers, header.redrives)).toBe('2');
  });
});
