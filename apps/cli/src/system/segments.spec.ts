import { decodeExample, decodePolicy, decodePrediction, policyTopic, topicsOf } from '@sluice/contracts';
import { observeFeedback } from '@sluice/feedback';
import { compileSignature, explain, initialPolicy, renderExplanation } from '@sluice/routing';
import { createMetrics } from '@sluice/service';
import { replayLog } from '../replay.ts';
import { flowRun } from './testing/flow-run.ts';

jest.setTimeout(120_000);

const topics = topicsOf('mail');
const events = 1200;

describe('a flow with segments, on the in-memory driver', () => {
  it('decides, learns, explains and replays by them', async () => {
    const metrics = createMetrics({ app: 'feedback', instance: 'one' }, { process: false });
    await using run = await flowRun({ events, target: { segments: { by: 'senderDomain', most: 3 } } });
    for (let from = 0; from < events; from += 150) {
      await run.push(from, from + 150);
      await run.settleOutcomes();
    }
    const { flow, schemas } = run.files;
    observeFeedback(metrics, run.system.feedback, flow);
    const values = async (topic: string) => (await run.bus.readAll([topic])).map(({ value }) => value!);
    const predictions = (await values(topics.predictions)).map(decodePrediction);
    const policies = new Map([initialPolicy(flow), ...(await values(policyTopic)).map(decodePolicy)].map((one) => [one.version, one]));

    const last = [...policies.values()].at(-1)!;
    expect(last.segments.map(({ segment }) => segment)).toHaveLength(4);
    expect(last.segments.at(-1)!.segment).toBe('(other)');

    const counted = [...(await metrics.text()).matchAll(/^sluice_learner_segment_events_total\{.*segment="([^"]*)".*\} (\d+)$/gm)];
    expect(counted.map(([, segment]) => segment)).toEqual(last.segments.map(({ segment }) => segment));
    expect(counted.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(predictions.length);

    const apart = new Set<string>();
    for (const { slip, policyVersion } of predictions) {
      const policy = policies.get(policyVersion)!;
      const own = policy.segments.find(({ segment }) => segment === slip.segment) ?? policy.segments.at(-1);
      expect(slip.threshold).toBe(policy.threshold * Math.exp(own?.offset ?? 0));
      if (own !== undefined && own.offset !== 0) apart.add(slip.segment);
    }
    expect(apart.size).toBeGreaterThan(4);

    const named = predictions.findLast(({ slip }) => last.segments.some(({ segment }) => segment === slip.segment) && !slip.heavyOnly)!;
    expect(renderExplanation(explain(named, { flow }))).toContain(`(segment ${named.slip.segment})`);

    const examples = (await values(topics.examples)).map(decodeExample);
    const replayed = replayLog(flow, compileSignature(flow, schemas).width, { predictions, examples });
    expect(replayed.faults).toEqual([]);
    expect(replayed.policies).toBeGreaterThan(3);
  });
});
