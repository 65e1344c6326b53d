import { decodeExample, decodePrediction, topicsOf } from '@sluice/contracts';
import { openDataset, shippedModels } from '@sluice/demo';
import { signatureShape } from '@sluice/routing';
import { systemClock } from '@sluice/service';
import { replayLog } from './replay.ts';
import { flowRun } from './system/testing/flow-run.ts';
import { labelledExamples, publishExamples } from './warm-start.ts';

jest.setTimeout(120_000);

const [sampled, events] = [600, 200];

/** Serves the first messages of the stream, after it was taught the latest ones or not. */
async function serve(taught: boolean) {
  await using run = await flowRun({ events });
  const { files, bus } = run;
  const { flow, schemas } = files;
  if (taught) {
    const { stream } = openDataset({ flow, schemas });
    const requests = Array.from({ length: sampled }, (_, i) => stream.count - sampled + i).map((index) => ({
      value: stream.value(index),
      truth: stream.label(index),
    }));
    await publishExamples(bus, files, await labelledExamples({ files, models: shippedModels, requests, now: systemClock.now() }));
    await bus.settle();
  }
  await run.push(0, events);
  await run.settleOutcomes();
  const { predictions, examples } = topicsOf(flow.flow);
  const log = {
    predictions: (await bus.readAll([predictions])).map(({ value }) => decodePrediction(value!)),
    examples: (await bus.readAll([examples])).map(({ value }) => decodeExample(value!)),
  };
  return { log, replayed: replayLog(flow, signatureShape(flow, schemas).width, log) };
}

describe('a labelled sample', () => {
  it('takes the place of the warm-up', async () => {
    const [cold, warm] = [await serve(false), await serve(true)];
    expect(cold.log.predictions.filter(({ tier }) => tier !== 'heavy')).toHaveLength(0);
    expect(warm.log.predictions).toHaveLength(events);
    expect(warm.log.predictions.filter(({ tier }) => tier !== 'heavy').length).toBeGreaterThan(events / 4);
  });

  it('is part of what a replay folds', async () => {
    const { log, replayed } = await serve(true);
    expect(log.examples.filter(({ tier }) => tier === '')).toHaveLength(sampled);
    expect(replayed.faults).toEqual([]);
    expect(replayed.decisions).toBeGreaterThanOrEqual(events);
  });
});
