import { policyTopic, readDeadLetter, topicsOf, decodePrediction } from '@sluice/contracts';
import { observeFeedback } from '@sluice/feedback';
import { observeInference } from '@sluice/inference';
import { observeRouter } from '@sluice/router';
import { createMetrics, systemClock, type Metrics } from '@sluice/service';
import { flowRun } from './testing/flow-run.ts';

jest.setTimeout(120_000);

const topics = topicsOf('mail');

/** Sum of a metric over the series whose labels contain all of `labels`. */
async function sum(metrics: Metrics, name: string, labels: readonly string[] = []): Promise<number> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

const fresh = (app: string): Metrics => createMetrics({ app, instance: 'one' }, { process: false });

describe('the metrics of a run', () => {
  it('count what stands on the topics', async () => {
    let turn = 0;
    await using run = await flowRun({ events: 400, poison: 42, abort: () => turn++ % 3 === 0 });
    const [router, inference, feedback] = [fresh('router'), fresh('inference'), fresh('feedback')];
    observeRouter(router, run.system.router, systemClock);
    observeInference(inference, run.system.inference, systemClock);
    observeFeedback(feedback, run.system.feedback, run.files.flow);
    await run.push(0, run.items.length);
    await run.settleOutcomes();
    const predictions = (await run.bus.readAll([topics.predictions])).map(({ value }) => decodePrediction(value!));
    const letters = (await run.bus.readAll([topics.deadLetters])).map((record) => readDeadLetter(record));
    expect(await sum(router, 'sluice_pipe_records_total')).toBe(442);
    expect(await sum(router, 'sluice_router_requests_total', ['code=""'])).toBe(400);
    for (const code of new Set(letters.map((letter) => letter.code))) {
      const refused = letters.filter((letter) => letter.code === code).length;
      expect([code, await sum(router, 'sluice_router_requests_total', [`code="${code}"`])]).toEqual([code, refused]);
    }
    expect(await sum(inference, 'sluice_worker_records_total', ['fate="served"'])).toBe(predictions.length);
    for (const tier of ['fast', 'standard', 'heavy']) {
      const served = predictions.filter((prediction) => prediction.tier === tier).length;
      expect([tier, await sum(inference, 'sluice_worker_records_total', [`tier="${tier}"`, 'fate="served"'])]).toEqual([tier, served]);
    }
    expect(await sum(feedback, 'sluice_learner_decisions_total')).toBe(predictions.length);
    expect(await sum(feedback, 'sluice_learner_examples_total')).toBe((await run.bus.readAll([topics.examples])).length);
    expect(await sum(router, 'sluice_router_policy_version')).toBe(await sum(feedback, 'sluice_learner_examples_total'));
    expect((await run.bus.readAll([policyTopic])).length).toBeGreaterThan(0);
  });
});
