import { decodePrediction, encodePolicy, policyTopic, readPolicies, topicsOf } from '@sluice/contracts';
import { ManualClock, type Flow, type PolicySnapshot } from '@sluice/domain';
import { observeInference } from '@sluice/inference';
import { observeRouter } from '@sluice/router';
import { signatureShape, explain, initialPolicy, renderExplanation, replayTrail } from '@sluice/routing';
import { createMetrics } from '@sluice/service';
import { flowRun, type FlowRun } from './testing/flow-run.ts';

jest.setTimeout(120_000);

const topics = topicsOf('mail');
const learnt = 600;

/** A system that has left its warm-up, its clock in the test's hand. */
async function learntRun(events: number, controller: Partial<Flow['controller']> = {}) {
  const clock = new ManualClock(1_700_000_000_000);
  const lines: [string, Readonly<Record<string, unknown>>][] = [];
  const run = await flowRun({
    events,
    controller,
    clock,
    now: () => clock.now(),
    warn: (event, fields) => void lines.push([event, fields]),
  });
  for (let from = 0; from < learnt; from += 150) {
    await run.push(from, from + 150);
    await run.settleOutcomes();
  }
  return { run, clock, lines };
}

async function policiesOf({ bus, files: { flow } }: FlowRun): Promise<PolicySnapshot[]> {
  return [initialPolicy(flow), ...readPolicies(await bus.readAll([policyTopic]), flow.flow)];
}

/** Predictions of the events from `from` on, each of whose decisions comes out the same when made again. */
async function servedFrom(run: FlowRun, from: number) {
  const { flow, schemas } = run.files;
  const { width } = signatureShape(flow, schemas);
  const policies = new Map((await policiesOf(run)).map((policy) => [policy.version, policy]));
  const ids = new Set(run.items.slice(from).map(({ id }) => id));
  const all = (await run.bus.readAll([topics.predictions])).map(({ value }) => decodePrediction(value!));
  const served = all.filter(({ id }) => ids.has(id));
  for (const prediction of served) expect(replayTrail({ flow, signatureWidth: width, prediction, policies })).toBeUndefined();
  expect(new Set(served.map(({ id }) => id)).size).toBe(served.length);
  return served;
}

async function metric(run: FlowRun, clock: ManualClock, name: string): Promise<number[]> {
  const both = [createMetrics({ app: 'router', instance: 'one' }, { process: false }), createMetrics({ app: 'inference', instance: 'one' }, { process: false })]; // prettier-ignore
  observeRouter(both[0]!, run.system.router, clock);
  observeInference(both[1]!, run.system.inference, clock);
  const texts = await Promise.all(both.map((metrics) => metrics.text()));
  return texts.map((text) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name}{`))
        ?.split(' ')
        .at(-1),
    ),
  );
}

describe('bad policy data', () => {
  it('is refused by router and workers, the last good policy kept, and nothing lost', async () => {
    const { run, clock, lines } = await learntRun(750);
    await using _ = run;
    const last = (await policiesOf(run)).at(-1)!;
    expect(last.heavyOnly).toBe(false);
    const version = last.version + 1_000_000;
    const bytes = encodePolicy({ ...last, version });
    const weights = last.heads[0]!.weights.map(() => NaN);
    const bad = [
      encodePolicy({ ...last, version: 3 }),
      encodePolicy({ ...last, version, heads: [{ ...last.heads[0]!, weights }] }),
      bytes.subarray(0, bytes.length >> 1),
      encodePolicy({ ...last, version, flow: 'images' }),
      encodePolicy({ ...last, version, heads: [{ ...last.heads[0]!, tier: 'tiny' }] }),
      Buffer.from('not a policy'),
      null,
    ];
    const publisher = await run.bus.openPublisher();
    await publisher.publish(bad.map((value) => ({ topic: policyTopic, key: Buffer.from('mail'), value })));
    await run.push(learnt, 750);
    await run.settleOutcomes();
    const served = await servedFrom(run, learnt);
    expect(served).toHaveLength(150);
    expect(served.some(({ tier }) => tier !== 'heavy')).toBe(true);
    expect(served.every(({ policyVersion }) => policyVersion >= last.version && policyVersion < version)).toBe(true);
    expect(lines.map(([event]) => event)).toEqual(Array(2 * bad.length).fill('policy.refused'));
    expect(await metric(run, clock, 'sluice_policy_refused_total')).toEqual([bad.length, bad.length]);
  });

  it('that stays is outlived: heavy alone serves once the lease has run out, which each event says, and nothing is lost', async () => {
    const { run, clock, lines } = await learntRun(900);
    await using _ = run;
    await run.system.feedback.close();
    await run.push(learnt, 750);
    expect((await servedFrom(run, learnt)).some(({ tier }) => tier !== 'heavy')).toBe(true);
    clock.advance(run.files.flow.controller.leaseMs + 1);
    await run.push(750, 900);
    const served = await servedFrom(run, 750);
    expect(served).toHaveLength(150);
    for (const prediction of served) {
      expect(prediction.tier).toBe('heavy');
      expect(renderExplanation(explain(prediction))).toContain('the newest policy was older than its lease');
    }
    expect(lines.map(([event]) => event)).toEqual(expect.arrayContaining(['policy.stale']));
    expect(await metric(run, clock, 'sluice_policy_heavy_only')).toEqual([1, 1]);
  });

  it('leaves no trace when feedback speaks again: after a rest the first events are for heavy, the next are not', async () => {
    const { run, clock, lines } = await learntRun(900);
    await using _ = run;
    clock.advance(run.files.flow.controller.leaseMs + 1);
    await run.push(learnt, 650);
    expect((await servedFrom(run, learnt)).slice(0, 50).every(({ tier }) => tier === 'heavy')).toBe(true);
    await run.push(650, 900);
    expect((await servedFrom(run, 650)).some(({ tier }) => tier !== 'heavy')).toBe(true);
    expect(lines.map(([event]) => event)).toEqual(expect.arrayContaining(['policy.stale', 'policy.renewed']));
  });
});

describe('a router that is faster than the learner', () => {
  const maxLead = 80;

  it('waits for it, so that no request is decided further ahead of it than declared', async () => {
    const { run, clock } = await learntRun(1_400, { maxLead });
    await using _ = run;
    const before = (await policiesOf(run)).length;
    await run.push(learnt, 1_400);
    const served = await servedFrom(run, learnt);
    expect(served).toHaveLength(800);
    expect(served.some(({ tier }) => tier !== 'heavy')).toBe(true);
    // At least one policy for each lead's worth of requests, though all of them were there at once.
    expect((await policiesOf(run)).length - before).toBeGreaterThanOrEqual(800 / maxLead - 1);
    expect((await metric(run, clock, 'sluice_router_lead_requests'))[0]).toBeLessThanOrEqual(maxLead);
  });

  it('goes on with heavy alone after two seconds in which it heard nothing, which each event says, and nothing is lost', async () => {
    const { run, clock } = await learntRun(900, { maxLead });
    await using _ = run;
    await run.system.feedback.close();
    await run.push(learnt, 900);
    const ahead = await servedFrom(run, learnt);
    expect(ahead.length).toBeLessThanOrEqual(maxLead + run.files.flow.request.partitions);
    expect(ahead.some(({ tier }) => tier !== 'heavy')).toBe(true);
    clock.advance(2_000);
    await run.bus.settle();
    const served = await servedFrom(run, learnt);
    expect(served).toHaveLength(300);
    const known = new Set(ahead.map(({ id }) => id));
    for (const prediction of served.filter(({ id }) => !known.has(id))) {
      expect(prediction.tier).toBe('heavy');
      expect(renderExplanation(explain(prediction))).toContain('too far behind the requests');
    }
  });
});
