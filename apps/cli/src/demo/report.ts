import { z } from 'zod';

const count = z.int().min(0);
const share = z.number().min(0);

const estimate = z.strictObject({ value: z.number(), lower: z.number(), upper: z.number() });
const estimates = z.strictObject({
  ips: estimate.describe('Inverse propensity.'),
  snips: estimate.describe('The same, normalised by the sum of the weights.'),
  dr: estimate.describe('Doubly robust.'),
});

/** What `npm start -- --report FILE` writes; docs/reference/report.schema.json is generated from it. */
export const reportSchema = z.strictObject({
  flow: z.string(),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).describe('The options of the run that shape the stream.'),
  broker: z.strictObject({
    kind: z.string(),
    version: z.string(),
    why: z.array(z.string()).describe('Rungs of the broker ladder not taken, each with its reason.'),
  }),
  events: count.describe('Requests published, malformed ones included.'),
  repeats: z.number().describe('How often the stream went through its data; above 1 messages came again with new ids.'),
  predictions: count,
  deadLetters: count.describe('Refused requests, declared drops not included.'),
  drops: count.describe('Declared drops of requests (an id seen twice).'),
  deadLetterCodes: z.record(z.string(), count),
  lost: count.describe('Requests with neither a prediction nor a dead letter.'),
  duplicated: count.describe('Answers beyond the first of a request.'),
  orderViolations: count.describe('Pairs of records of one way through the topics that appear in the wrong order.'),
  unexplained: count.describe('Predictions whose trail the cited policies do not give again, decision by decision.'),
  judge: z.string().describe('The client that counted lost, duplicated and order.'),
  tiers: z.record(
    z.string(),
    z.strictObject({
      first: count.describe('Routed here first.'),
      final: count.describe('Answered here.'),
      escalatedFrom: count.describe('Went on from here.'),
    }),
  ),
  shadowAudits: count.describe('Events that were also run, unseen, on the tiers that had not run.'),
  outcomesJoined: count,
  accuracy: z.strictObject({ served: share, alwaysHeavy: share, alwaysFast: share }),
  cost: z.strictObject({
    served: share.describe('Mean cost per event, audits included; always-heavy is 1.'),
    audits: share.describe('The part of it that audits and warm-up shadows took.'),
    alwaysHeavy: share,
    origin: z.string().describe("Where the tiers' costs come from."),
    tiers: z.record(z.string(), z.number()),
    weights: z.record(z.string(), share).describe('How much each dimension of a cost counts in all of these.'),
  }),
  loss: z.strictObject({
    realised: share.describe('Share of events that heavy would have got right and the served answer got wrong.'),
    target: share,
    bound: share.describe('Stated excess over the target that the guarantee allows for this many events.'),
    sampling: share.describe('Half-width of the sampling noise around it.'),
    delay: count.describe('99 % of the outcomes came within this many requests of their own; the bound is for this delay.'),
    withinBound: z.boolean().describe('realised <= target + bound.'),
  }),
  certificate: z
    .strictObject({ events: count, estimate: share, lower: share, upper: share })
    .nullable()
    .describe(
      'Loss since control began or the latest alarm, with an interval that holds at every moment at once; null before control began.',
    ),
  alarms: z.strictObject({
    disagreement: count.describe('Audits disagreed with heavy more often than predicted.'),
    loss: count.describe('A certificate proved a loss above the target.'),
    signature: count.describe('What was asked changed; a warning, no more.'),
  }),
  ece: z
    .record(
      z.string(),
      z.strictObject({
        answers: count.describe('Answers to users whose truth came.'),
        before: share.describe("Of the model's own confidences."),
        after: share.describe('Of the same, calibrated online.'),
      }),
    )
    .describe('Expected calibration error by tier, each confidence judged before its truth was learned from.'),
  offPolicy: z
    .strictObject({
      candidate: z.strictObject({ threshold: z.number() }),
      events: count.describe('Events decided after warm-up.'),
      known: count.describe("Of these, events of which every tier's answer is known."),
      effectiveSamples: z.number().describe('Equally weighted events that would say as much.'),
      loss: estimates,
      cost: estimates.describe('Audits included; always-heavy is 1.'),
      doubts: z.array(z.string()).describe('Why not to rely on it.'),
    })
    .describe('What the threshold of the last policy would have lost and cost on the log of this run, told from its audits.'),
  threshold: z.strictObject({ start: z.number(), end: z.number(), updates: count }),
  policyVersions: count,
  throughputPerSecond: z.number(),
  latencyMs: z
    .strictObject({ p50: z.number(), p90: z.number(), p99: z.number() })
    .describe('From the time stamp of the request to the reader that sees its committed prediction.'),
  setupSeconds: z.number(),
  setup: z.record(z.string(), z.number()).describe('Seconds of each step of set-up.'),
  apps: z.record(z.string(), z.strictObject({ rssMb: z.number(), cpuSeconds: z.number() })),
  backends: z.record(z.string(), z.string()),
  versions: z.record(z.string(), z.string()),
  machine: z.strictObject({ cpus: count, model: z.string(), memoryGb: z.number(), platform: z.string() }),
});

export type Report = z.infer<typeof reportSchema>;

/** A run is good when the second client finds nothing lost, doubled, out of order or unexplained. */
export function isClean(report: Pick<Report, 'lost' | 'duplicated' | 'orderViolations' | 'unexplained'>): boolean {
  return report.lost === 0 && report.duplicated === 0 && report.orderViolations === 0 && report.unexplained === 0;
}
