import { z } from 'zod';
import { flowCost } from './cost.ts';
import { SluiceError } from './errors.ts';
import { featureSpec } from './feature.ts';
import { checkFlow } from './flow-checks.ts';

/** One topic segment: `[a-z0-9-]`, so that names parse back and metric names never collide. */
export const segment = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,47}$/, 'lower-case letters, digits and dashes, starting with a letter, at most 48');

/** What may become of an event whose tier gives no answer. */
const fallback = z.array(z.enum(['retry', 'cached', 'heavier', 'lighter', 'dead-letter'])).min(1);

const tier = z.strictObject({
  name: segment.describe('Name of the tier in tags, predictions and reports.'),
  model: segment.describe('Model that serves the tier: a folder of this name in the model folder, and the topic <flow>.model.<model>.'),
  cacheMb: z
    .int()
    .min(1)
    .max(65_536)
    .optional()
    .describe(
      'Memory for answers to equal requests, per worker. Left out: none; for models that take microseconds a cache costs more than it saves.',
    ),
  fallback: fallback.optional().describe('As `fallback` of the flow, for this tier.'),
});

const rule = z.strictObject({
  name: segment,
  when: z
    .string()
    .min(1)
    .describe(
      'Condition over request fields, headers (header.NAME) and facts (`size`, `staleness`, `timeLeft`, `missing`, `outOfRange`, `novelty`): comparisons joined by and, or, not, parentheses.',
    ),
  tier: segment.describe('The event goes to this tier first when the condition holds.'),
  because: z.string().min(1).describe('Said in every explanation of a decision that this rule made.'),
});

const segments = z
  .strictObject({
    by: z
      .string()
      .min(1)
      .describe(
        'Field of the request (a text, enum, boolean or number; dots enter nested records), or header.NAME: its value is the segment of an event.',
      ),
    edges: z
      .array(z.number())
      .min(1)
      .max(31)
      .refine((edges) => edges.every((edge, index) => index === 0 || edge > edges[index - 1]!), 'must rise')
      .optional()
      .describe('For a number, and only there: where one segment ends and the next begins.'),
    most: z
      .int()
      .min(1)
      .max(64)
      .default(16)
      .describe('The first so many segments that are seen are controlled apart; all others together, as one more.'),
  })
  .describe(
    'Parts of the stream that keep the declared loss each for itself, as far as they have events. Left out: only the whole stream does.',
  );

const document = z.strictObject({
  flow: segment.describe('Name of the flow: first segment of all its topics.'),
  description: z.string().min(1),
  request: z.strictObject({
    schemas: z
      .array(z.string())
      .min(1)
      .describe('Avro schema files accepted on the request topic, relative to the flow file; the first is the current one.'),
    confluentIds: z
      .record(z.string().regex(/^\d+$/), z.int().min(0))
      .default({})
      .describe('Confluent schema id -> index into schemas, for producers that use a registry.'),
    partitions: z.int().min(1).max(512).default(2),
    maxBytes: z.int().min(16).default(1_000_000).describe('Larger values are refused.'),
    deadlineMs: z.int().min(1).default(30_000).describe('Time a request may take when its producer sets no deadline-ms header.'),
    context: z
      .array(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'a header name'))
      .max(8)
      .default(['tenant'])
      .describe("Headers that tell the user's context; the value of each is hashed into 8 columns of the signature."),
    dedupWindow: z
      .int()
      .min(0)
      .default(2_000)
      .describe('Number of latest ids per partition among which a repeated id is a declared drop; 0 turns it off.'),
  }),
  labels: z.array(z.string().min(1)).min(2).describe("Class names in the order of the models' outputs."),
  signature: z.array(featureSpec).min(1).describe('What the router reads of a request.'),
  tiers: z.array(tier).min(2).max(8).describe('From the cheapest to the reference (heavy) tier.'),
  fallback: fallback
    .default(['heavier'])
    .describe(
      'What becomes of an event whose tier gives no answer, because its model failed, was lost or is left alone by its breaker: the first of these that can be done, else the dead letter. heavier: the heaviest tier, or where the budget comes first the heaviest that is paid for. lighter: the nearest lighter tier, whose answer is served where it was already given; also at the safe end, so this trades quality for an answer. cached: what the model last answered to an equal request, maybe in an earlier version. retry: the same tier again after each delay of `retry` in turn, where the model was lost or is left alone; where it failed on the event, trying again would not help.',
    ),
  retry: z
    .strictObject({
      delaysMs: z
        .array(z.int().min(1).max(86_400_000))
        .min(1)
        .max(8)
        .default([5_000, 60_000, 600_000])
        .describe(
          'Waits before a tier is tried again, used where a `fallback` names retry: one topic <flow>.retry.<delay> and one attempt each. An event that waits may miss its deadline and is overtaken by later ones of its key.',
        ),
    })
    .prefault({}),
  overload: z
    .array(z.enum(['lighten', 'shed']))
    .default([])
    .describe(
      'What is done when queues are so long that an event cannot be answered before its deadline where it would go. Left empty: it waits. lighten: the lightest tier that can make it answers, also at the safe end, so this trades quality for time. shed: it is left out, as a declared drop. Both: shed what no tier can make.',
    ),
  breaker: z
    .strictObject({
      failures: z.int().min(1).max(1_000).default(3).describe('Batches in a row that a model must fail whole before it is left alone.'),
      dwellMs: z
        .int()
        .min(1)
        .default(1_000)
        .describe('Shortest time a model is left alone before one batch tries it again; doubled while it fails on, with jitter.'),
      longestMs: z.int().min(1).default(30_000).describe('Longest such time.'),
      slowMs: z
        .int()
        .min(1)
        .optional()
        .describe(
          'A batch whose answers come later than this after it was handed to the model counts as failed, though they are used. Left out: `request.deadlineMs`.',
        ),
      lagMs: z
        .int()
        .min(1)
        .optional()
        .describe(
          'The model is also left alone when a record put on its topic now would wait longer than this, as its worker last reckoned: what waits goes the way of `fallback` meanwhile. Left out: it waits, or what `overload` says.',
        ),
    })
    .prefault({}),
  target: z.strictObject({
    maxLoss: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.01)
      .describe('Largest share of events that the heavy tier would have got right and the served answer got wrong.'),
    measure: z
      .enum(['against-heavy', 'absolute'])
      .default('against-heavy')
      .describe(
        'absolute: maxLoss is the largest share of events whose answer is wrong, and the lighter tiers may add what heavy leaves of it. Where heavy leaves nothing the policy says `infeasible` and heavy serves.',
      ),
    budget: z
      .strictObject({
        perEvent: z.number().gt(0).max(1).describe('Mean cost per event, heavy = 1, shadow runs included.'),
        window: z.int().min(100).default(20_000).describe('Events over which unspent budget is banked.'),
      })
      .optional(),
    primary: z
      .enum(['loss', 'budget'])
      .default('loss')
      .describe('Which of the two is kept when both cannot be; the policy then says `infeasible`.'),
    segments: segments.optional(),
  }),
  cost: flowCost.prefault({}),
  rules: z.array(rule).default([]),
  audit: z
    .strictObject({
      rate: z
        .number()
        .gt(0)
        .max(1)
        .default(0.04)
        .describe('Mean probability that a lightly served event is also run, unseen by its user, on the other tiers.'),
      key: z.int().default(1).describe('Key of the draw: another key draws other events.'),
    })
    .prefault({}),
  controller: z
    .strictObject({
      enabled: z.boolean().default(true).describe('false: thresholds and heads stay as they were at start (for comparison).'),
      gain: z.number().gt(0).max(1).default(0.03).describe('Step of the threshold per unit of loss (eta).'),
      leaseMs: z
        .int()
        .min(1000)
        .default(300_000)
        .describe(
          'How long a policy is believed after it was published; then only heavy serves. Policies come with the traffic, so after a longer rest the first events are for heavy.',
        ),
      maxLead: z
        .int()
        .min(1)
        .default(20_000)
        .describe(
          'How many requests the router sends to a tier beyond the newest one that the learner has heard of, an even share for each partition of the request topic. Then it waits for the learner, and if that is silent, only heavy serves.',
        ),
      warmUp: z
        .int()
        .min(0)
        .default(300)
        .describe(
          'First events, all served by the heavy tier and shadowed on the light ones; twice as many and a fifth of those beyond, while the learner is behind.',
        ),
    })
    .prefault({}),
  fusion: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('true: the answer is what those of all tiers that ran add up to; false: that of the last one.'),
      after: z
        .int()
        .min(1)
        .default(2_000)
        .describe('Events of which all answers and the truth are known before the answers of all tiers that ran are weighed together.'),
    })
    .prefault({}),
  feedback: z
    .strictObject({
      mode: z
        .enum(['truth', 'reports', 'disagreement'])
        .default('truth')
        .describe(
          'What outcomes are worth. truth: labels of events as they come. reports: what users complain of; silence says nothing, so a disagreement nobody reports counts as harm, and confidences are not calibrated. disagreement: outcomes are ignored; the loss is the share of events on which heavy would have answered otherwise.',
        ),
      windowMs: z.int().min(1).default(600_000).describe('How long after its prediction an outcome is still joined, in event time.'),
      graceMs: z.int().min(0).default(60_000).describe('How much later than the newest event a record may still arrive.'),
    })
    .prefault({}),
  delivery: z.enum(['exactly-once', 'at-least-once']).default('exactly-once'),
});

/** The one schema of a flow document: it validates, gives the types, the JSON Schema for editors and the reference page. */
export const flowSchema = document.superRefine(checkFlow);

/** A validated flow document with every default filled in. */
export type Flow = z.infer<typeof document>;
export type TierSpec = Flow['tiers'][number];
export type RuleSpec = Flow['rules'][number];
export type FallbackWay = Flow['fallback'][number];

/**
 * Validates a parsed flow document.
 * @throws SluiceError SLUICE_FLOW_INVALID listing every fault with its path.
 */
export function parseFlow(input: unknown, origin = 'flow'): Flow {
  const result = flowSchema.safeParse(input);
  if (result.success) return result.data;
  throw new SluiceError('SLUICE_FLOW_INVALID', `${origin} has ${faults(result.error)}`);
}

/** All faults of a zod error, one a line with its path. */
export function faults(error: z.ZodError): string {
  const lines = error.issues.map((issue) => `\n  ${issue.path.length > 0 ? issue.path.join('.') : '(document)'}: ${issue.message}`);
  return `${lines.length} fault${lines.length === 1 ? '' : 's'}:${lines.join('')}`;
}
