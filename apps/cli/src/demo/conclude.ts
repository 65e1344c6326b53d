import { cpus, totalmem } from 'node:os';
import { kafkaVersion, passJudgement, type Verdict } from '@sluice/broker';
import { topicsOf } from '@sluice/contracts';
import { costShares, type Flow, type PolicySnapshot, type Prediction } from '@sluice/domain';
import { lossBound, samplingWidth, thetaStart } from '@sluice/learning';
import { auditProbability, signatureShape, initialPolicy } from '@sluice/routing';
import { loadManifests, relativeCosts } from '@sluice/service';
import { decisionFaults } from '../replay.ts';
import { usageOf } from '../system/usage.ts';
import { learned } from './learned.ts';
import { percentile } from './percentiles.ts';
import type { Report } from './report.ts';
import type { Stage } from './run.ts';
import { modelsDir } from './source.ts';
import { round } from './steps.ts';
import type { DemoStream } from './stream.ts';
import { quality, type Quality } from './quality.ts';

/** Everything the report says, once the stream has ended and before the system is closed. */
export async function makeReport(stage: Stage, stream: DemoStream): Promise<Report> {
  const { files, source, steps, collector } = stage;
  const { flow } = files;
  const predictions = [...collector.seen.predictions.values()];
  const verdict = await steps.run('counting with a second client', () => countAnswers(stage));
  const alternatives = await steps.run('always-heavy and always-fast on the same events', () =>
    source.alternatives(new Set(predictions.map(({ id }) => id))),
  );
  const manifests = await loadManifests(flow, modelsDir);
  const costs = relativeCosts(flow, manifests);
  const result = quality(flow, { predictions, alternatives, costs });
  return {
    ...streamFacts(stage, stream),
    ...verdict.counts,
    judge: verdict.judge,
    unexplained: verdict.counts.unexplained + undecided(files, predictions, collector.seen.policies),
    tiers: tierCounts(flow, predictions),
    shadowAudits: collector.seen.shadow.audits,
    ...(await learned(stage, costs)),
    accuracy: result.accuracy,
    cost: {
      ...result.cost,
      origin: [...new Set(manifests.map(({ cost }) => cost.origin))].join(', '),
      tiers: Object.fromEntries(flow.tiers.map(({ name }, tier) => [name, round(costs[tier]!, 4)])),
      weights: Object.fromEntries(costShares(flow.cost)),
    },
    loss: loss(flow, result, { events: predictions.length, delay: percentile(stream.delays, 0.99) }),
    ...policyFacts(flow, stage),
  };
}

async function countAnswers({ broker, bus, files }: Stage): Promise<{ readonly judge: string; readonly counts: CountedAnswers }> {
  const { flow, tiers } = files.flow;
  const judgement = await passJudgement({ broker, bus, topics: topicsOf(flow), models: tiers.map(({ model }) => model) });
  for (const fault of judgement.faults) process.stderr.write(`judge: ${fault}\n`);
  const judge =
    judgement.by === 'java' ? `Apache Kafka ${kafkaVersion} console consumer, read_committed` : 'our own reader (no second client here)';
  return { judge, counts: countsOf(judgement) };
}

type CountedAnswers = Pick<
  Report,
  'events' | 'predictions' | 'deadLetters' | 'drops' | 'lost' | 'duplicated' | 'orderViolations' | 'unexplained'
>;

function countsOf({ requests, predictions, deadLetters, drops, lost, duplicated, orderViolations, unexplained }: Verdict): CountedAnswers {
  return { events: requests, predictions, deadLetters, drops, lost, duplicated, orderViolations, unexplained };
}

/** Predictions whose decisions, made again under the policies they cite, come out otherwise. */
function undecided(
  { flow, schemas }: Stage['files'],
  predictions: readonly Prediction[],
  seen: ReadonlyMap<number, PolicySnapshot>,
): number {
  const { width } = signatureShape(flow, schemas);
  const first = initialPolicy(flow);
  const policies = new Map(seen).set(first.version, seen.get(first.version) ?? first);
  const faults = decisionFaults({ flow, signatureWidth: width, policies }, predictions);
  for (const fault of faults.slice(0, 3)) process.stderr.write(`not explained: ${fault}\n`);
  return faults.length;
}

function tierCounts(flow: Flow, predictions: readonly Prediction[]): Report['tiers'] {
  const counts = Object.fromEntries(flow.tiers.map(({ name }) => [name, { first: 0, final: 0, escalatedFrom: 0 }]));
  for (const { trail, tier } of predictions) {
    counts[trail[0]!.tier]!.first++;
    counts[tier]!.final++;
    for (const step of trail) if (step.kind === 'escalate' || step.kind === 'fallback') counts[step.tier]!.escalatedFrom++;
  }
  return counts;
}

function loss(flow: Flow, { realised }: Quality, { events, delay }: { readonly events: number; readonly delay: number }): Report['loss'] {
  const epsilon = flow.target.maxLoss;
  const { rate } = flow.audit;
  const bound = lossBound({
    epsilon,
    eta: flow.controller.gain,
    thetaStart: thetaStart(epsilon),
    delay,
    pMin: auditProbability(rate, 0),
    events,
  }).excessRate;
  const sampling = samplingWidth({ epsilon, auditRate: rate, events, delta: 0.05 });
  const withinBound = realised <= epsilon + bound;
  return { realised: round(realised, 5), target: epsilon, bound: round(bound, 5), sampling: round(sampling, 5), delay, withinBound };
}

function streamFacts({ options, files, broker, source, steps, collector, system }: Stage, stream: DemoStream) {
  const { seen } = collector;
  const { flow, events, rate, seed, partitions, drift, staticThreshold, poison } = options;
  return {
    flow: files.flow.flow,
    options: {
      flow,
      ...(events !== undefined && { events }),
      rate: rate === Infinity ? 'max' : rate,
      seed,
      partitions,
      drift,
      staticThreshold,
      poison,
    },
    broker: { kind: broker.kind, version: broker.version, why: [...broker.why] },
    repeats: round(Math.max(1, stream.published / Math.max(1, (options.events ?? stream.published) / source.repeats)), 2),
    deadLetterCodes: Object.fromEntries(seen.deadLetters),
    throughputPerSecond: round(seen.predictions.size / Math.max(0.001, (seen.lastAt - seen.firstAt) / 1000), 1),
    latencyMs: { p50: percentile(seen.latencies, 0.5), p90: percentile(seen.latencies, 0.9), p99: percentile(seen.latencies, 0.99) },
    setupSeconds: round(setupSteps.reduce((sum, name) => sum + (steps.seconds[name] ?? 0), 0)),
    setup: steps.seconds,
    apps: { ...system.usage(), ...brokerUsage(broker.pid) },
    backends: system.backends(),
    versions: { node: process.versions.node, kafka: broker.version },
    machine: {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
      memoryGb: Math.round(totalmem() / 2 ** 30),
      platform: `${process.platform} ${process.arch}`,
    },
  };
}

function brokerUsage(pid: number | undefined): Report['apps'] {
  const usage = pid === undefined ? undefined : usageOf(pid);
  return usage === undefined ? {} : { broker: usage };
}

/** Steps that stand between the command and the first event. */
export const setupSteps = ['dependencies', 'data and models', 'broker', 'topics', 'router, inference, feedback'];

function policyFacts(flow: Flow, { collector }: Stage): Pick<Report, 'threshold' | 'policyVersions'> {
  const policies = [...collector.seen.policies.values()].sort((a, b) => a.version - b.version);
  const start = initialPolicy(flow).threshold;
  let updates = 0;
  let last = start;
  for (const { threshold } of policies) {
    if (threshold !== last) updates++;
    last = threshold;
  }
  return { threshold: { start, end: last, updates }, policyVersions: policies.length };
}
