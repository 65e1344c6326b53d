import { policyTopic, topicsOf } from '@sluice/contracts';
import { shippedModels } from '@sluice/demo';
import { loadManifests, relativeCosts, systemClock } from '@sluice/service';
import { flowRun } from '../system/testing/flow-run.ts';
import { Collector } from './collector.ts';
import { learned } from './learned.ts';
import { reportSchema } from './report.ts';
import type { Stage } from './run.ts';
import { renderFrame } from './view.ts';

jest.setTimeout(120_000);

const schema = reportSchema.pick({ outcomesJoined: true, certificate: true, alarms: true, ece: true, offPolicy: true });

async function played(events: number) {
  await using run = await flowRun({ events });
  for (let from = 0; from < events; from += 150) {
    await run.push(from, from + 150);
    await run.settleOutcomes();
  }
  const { files, bus } = run;
  const collector = new Collector('mail', systemClock);
  collector.add(await bus.readAll([topicsOf('mail').predictions, policyTopic]));
  const costs = relativeCosts(files.flow, await loadManifests(files.flow, shippedModels));
  const frame = renderFrame(files.flow, collector, { published: events, total: events, elapsedSeconds: 1 });
  return { learned: await learned({ files, bus, collector } as unknown as Stage, costs), frame };
}

describe('what a run has learned', () => {
  it('stands in the report and, as far as it changes, in the live view', async () => {
    const { learned: facts, frame } = await played(900);
    expect(schema.parse(facts)).toEqual(facts);
    expect(facts.outcomesJoined).toBe(900);
    expect(facts.certificate!.events).toBeGreaterThan(300);
    expect(facts.certificate!.upper).toBeGreaterThan(facts.certificate!.estimate);
    for (const tier of ['fast', 'standard', 'heavy']) expect(facts.ece[tier]!.answers).toBeGreaterThan(50);
    expect(facts.offPolicy.events).toBeGreaterThan(400);
    expect(facts.offPolicy.doubts.join()).toContain('equally weighted events would');
    expect(frame.join('\n')).toMatch(/certified [\d.]+ % to [\d.]+ % over \d+ events {3}alarms \d+/);
  });

  it('is nothing before the first policy', async () => {
    const { learned: facts, frame } = await played(0);
    expect(schema.parse(facts)).toEqual(facts);
    expect(facts).toMatchObject({ certificate: null, outcomesJoined: 0, offPolicy: { events: 0 } });
    expect(frame.join('\n')).toContain('not certified yet');
  });
});
