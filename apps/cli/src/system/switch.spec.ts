import { decodePrediction, decodeTag, flagsTopic, header, headerBytes, topicsOf } from '@sluice/contracts';
import { explain, renderExplanation } from '@sluice/routing';
import { flowRun } from './testing/flow-run.ts';

jest.setTimeout(120_000);

it('a tier that is switched off serves nobody until it is switched on, and each explanation says so', async () => {
  await using run = await flowRun({ events: 900 });
  const topics = topicsOf('mail');
  const publisher = await run.bus.openPublisher();
  const flag = (value: Buffer | null) => publisher.publish([{ topic: flagsTopic, partition: 0, key: Buffer.from('mail/fast'), value }]);
  const sent = async () => {
    const records = await run.bus.readAll([topics.model('mail-fast')]);
    // Audits go on: they are what shows whether it may come back.
    return records.filter(({ headers }) => !decodeTag(headerBytes(headers, header.tag)!).shadow).length;
  };
  await run.push(0, 600);
  const before = await sent();
  await flag(Buffer.from('its owner is looking into it'));
  await run.push(600, 750);
  expect(await sent()).toBe(before);
  await flag(null);
  await run.push(750, 900);
  expect(await sent()).toBeGreaterThan(before);
  const predictions = (await run.bus.readAll([topics.predictions])).map(({ value }) => decodePrediction(value!));
  const said = predictions.filter((one) => renderExplanation(explain(one)).includes('fast (was switched off)'));
  expect(said.length).toBeGreaterThan(0);
});
