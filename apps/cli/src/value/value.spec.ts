import { decodeExample, policyTopic, readPolicies, topicsOf } from '@sluice/contracts';
import { shippedModels } from '@sluice/demo';
import { signatureShape } from '@sluice/routing';
import { loadManifests, relativeCosts } from '@sluice/service';
import { flowRun } from '../system/testing/flow-run.ts';
import { parseCandidate, valueOnLog, type Log } from './candidate.ts';
import { renderValue } from './command.ts';

jest.setTimeout(120_000);

async function logged(events: number): Promise<Log> {
  await using run = await flowRun({ events });
  for (let from = 0; from < events; from += 150) {
    await run.push(from, from + 150);
    await run.settleOutcomes();
  }
  const { flow, schemas } = run.files;
  return {
    flow,
    signatureWidth: signatureShape(flow, schemas).width,
    costs: relativeCosts(flow, await loadManifests(flow, shippedModels)),
    examples: (await run.bus.readAll([topicsOf(flow.flow).examples])).map(({ value }) => decodeExample(value!)),
    policies: readPolicies(await run.bus.readAll([policyTopic]), flow.flow),
  };
}

describe('sluice value', () => {
  let log: Log;
  beforeAll(async () => {
    log = await logged(900);
  });

  it('knows of always-heavy that it loses nothing, and leaves warm-up out', () => {
    const { events, loss, cost } = valueOnLog(log, parseCandidate({ heavyOnly: true }));
    expect(events).toBeGreaterThan(400);
    expect(events).toBeLessThan(700);
    expect(loss.dr.value).toBe(0);
    expect(cost.dr.value).toBeGreaterThan(1);
  });

  it('finds a bolder threshold cheaper, and says how little so short a log knows', () => {
    const timid = valueOnLog(log, parseCandidate({ threshold: 0.001 }));
    const bold = valueOnLog(log, parseCandidate({ threshold: 1 }));
    expect(bold.cost.dr.upper).toBeLessThan(timid.cost.dr.lower);
    const text = renderValue(log.flow, bold);
    expect(text).toMatch(/^mail: on \d+ logged events/);
    expect(text).toContain('Do not rely on it: the log says no more than');
  });

  it('refuses a candidate with what it does not know, naming it', () => {
    const refused = expect.objectContaining({ code: 'SLUICE_CONFIG_INVALID', message: expect.stringContaining('tau') });
    expect(() => parseCandidate({ tau: 1 })).toThrow(refused);
  });
});
