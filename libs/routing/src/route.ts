import type {
  EpochMs,
  EventId,
  Flow,
  Millis,
  PolicySnapshot,
  SegmentPolicy,
  Slip,
  SlipTier,
  SparseRow,
  Step,
  StepKind,
} from '@sluice/domain';
import { auditDraw, slipAuditRate, warmUp } from './audit.ts';
import { isDominated, isOpen, priceOf, type Candidate } from './candidate.ts';
import { barOf, formatBars, sayBars, type Remaining } from './eligibility.ts';
import { headOf, scoreHead } from './heads.ts';
import { escalationChance, residualHarm } from './outlook.ts';
import type { Place } from './place.ts';
import { stale } from './policy.ts';
import { formatReason } from './reason.ts';
import { segmentPolicy, thresholdOf } from './segments/segment-policy.ts';
import type { RuleHit } from './rules/rules.ts';
import { percent, sayThreshold, short, type Teller, type Told } from './telling.ts';
import { pricedTiers } from './tier-prices.ts';

/** Everything a routing decision depends on; equal inputs give equal decisions, bit for bit. */
export interface RouteInput {
  readonly id: EventId;
  /** Where the request stands in its topic; left out: among the first. */
  readonly source?: Place | undefined;
  readonly flow: Flow;
  readonly policy: PolicySnapshot;
  /** Cost of one event on each tier of the flow, in any one unit; divided by heavy's before use. */
  readonly costs: readonly number[];
  /** Price of waiting for each tier in the same unit: 0 when idle, Infinity when the tier is down. */
  readonly queuePrices: readonly number[];
  /** Expected milliseconds until an answer of each tier; 0, or left out, when nobody knows. */
  readonly waits?: readonly Millis[] | undefined;
  /** Why each tier may not run for this request, a name of `bars`, or ''; left out: all may. */
  readonly bars?: readonly string[] | undefined;
  /** Left out: the request can wait. */
  readonly deadlineAt?: EpochMs | undefined;
  /** What the tiers that run for the user may cost together, heavy = 1; null, or left out, where all are paid for. */
  readonly budget?: number | null | undefined;
  readonly signature: SparseRow;
  readonly signatureWidth: number;
  /** Which segment of the flow the event belongs to; empty, or left out, where the flow names none. */
  readonly segment?: string | undefined;
  /** The first declared rule that holds for the request. */
  readonly rule?: RuleHit | undefined;
  readonly now: EpochMs;
}

export interface RouteDecision {
  /** Index into `slip.tiers` of the tier that runs first. */
  readonly position: number;
  readonly slip: Slip;
  readonly step: Step;
  /** Probability with which this tier was chosen; 1, since nothing but the audit is random. A canary will lower it. */
  readonly propensity: number;
  /** The tier cannot answer before the deadline, and the flow sheds such events: it is not to be sent there. */
  readonly shed: boolean;
}

interface Choice {
  readonly position: number;
  readonly harm: number;
  readonly score: number;
  readonly detail?: string | undefined;
}

interface RouteContext {
  readonly input: RouteInput;
  /** What the policy says of the event's segment. */
  readonly own: SegmentPolicy | undefined;
  readonly candidates: readonly Candidate[];
}

/** One way in which a first tier is chosen: it decides, and later says why. */
export interface Way extends Teller {
  readonly kind: StepKind;
  choose(context: RouteContext): Choice | undefined;
}

/**
 * The ways, in order: the first that applies decides. The safe end comes before declared rules, because its promise is that nobody is
 * served by a light tier; only a flow that declares to lighten under overload goes before it.
 */
export const ways: readonly Way[] = [
  {
    name: 'lightened',
    kind: 'fallback',
    choose: aroundLateHeavy,
    say: ({ step }) =>
      `Only heavy might answer then, and it would have answered after the deadline; under such load the flow lets the lightest tier that can make it answer, so it went to the ${step.tier} tier.`,
  },
  {
    name: 'heavy-only',
    kind: 'route',
    choose: atSafeEnd,
    say: ({ step, detail }) =>
      `It went straight to the ${step.tier} tier because ${whyHeavyOnly[detail ?? ''] ?? 'the flow was at its safe end, where only heavy may answer'}.`,
  },
  {
    name: 'rule',
    kind: 'rule',
    choose: byDeclaredRule,
    say: ({ step, because }) => {
      const words = because(step.reason);
      return `Rule "${step.reason}" sent it to the ${step.tier} tier first${words === undefined ? '' : `: ${words}`}.`;
    },
  },
  {
    name: 'all-closed',
    kind: 'fallback',
    choose: whenNothingIsOpen,
    say: ({ step, detail }) => {
      const why = detail === undefined ? 'Every tier was closed' : `No tier could take it: ${sayBars(detail)}`;
      return `${why}; so it waited for the ${step.tier} tier.`;
    },
  },
  {
    name: 'rule-tier-closed',
    kind: 'fallback',
    choose: (context) => (context.input.rule === undefined ? undefined : cheapest(context, ruleDetail(context))),
    say: (told) => {
      const [rule, bar] = told.detail!.split(':');
      return `Rule "${rule}" asked for a tier that could not take it${bar === undefined ? '' : `: ${sayBars(bar)}`}. ${sayCheapest(told)}`;
    },
  },
  {
    name: 'cheapest',
    kind: 'route',
    choose: (context) => cheapest(context, barredTiers(context)),
    say: (told) => (told.detail === undefined ? sayCheapest(told) : `${sayCheapest(told)} Not considered: ${sayBars(told.detail)}.`),
  },
];

const segmentSpent = 'segment';

/** By the detail of the reason; the safe end of the controller leaves none. */
const whyHeavyOnly: Readonly<Record<string, string>> = {
  [warmUp]: 'the flow was still warming up, when heavy answers everything',
  [segmentSpent]: 'its segment was at its safe end, where only heavy may answer',
  [stale]: 'the newest policy was older than its lease, or too far behind the requests, and then only heavy may answer',
};

function sayCheapest({ step, slip }: Told): string {
  const risk = step.harm > 0 ? `; estimated chance that it errs where heavy is right: ${percent(step.harm)}` : '';
  return `The ${step.tier} tier was the cheapest plan at ${sayThreshold(slip)} (${short(step.score)} times heavy's cost, risk included${risk}), so it ran first.`;
}

/** Decides which tier runs first and plans the rest (docs/routing.md 3a, pre-route). */
export function route(input: RouteInput): RouteDecision {
  const tiers = pricedTiers(input);
  const { policy, flow, now, segment = '' } = input;
  const own = segmentPolicy(policy, segment);
  const candidates = candidatesOf(input, tiers);
  const { way, choice } = choose({ input, own, candidates });
  const { position, harm, score, detail } = choice;
  const slip: Slip = {
    tiers,
    position,
    segment,
    threshold: thresholdOf(policy, own),
    heavyOnly: policy.heavyOnly || own?.heavyOnly === true,
    auditRate: slipAuditRate(policy, flow, input.source),
    auditDraw: auditDraw(input.id, policy.version, flow.audit.key),
    budget: input.budget ?? null,
  };
  const reason = way.kind === 'rule' ? detail! : formatReason({ name: way.name, detail });
  const step: Step = { kind: way.kind, tier: tiers[position]!.tier, harm, score, reason, at: now, policyVersion: policy.version };
  const shed = flow.overload.includes('shed') && candidates[position]!.bar === 'late';
  return { position, slip, step, propensity: 1, shed };
}

function choose(context: RouteContext): { readonly way: Way; readonly choice: Choice } {
  for (const way of ways) {
    const choice = way.choose(context);
    if (choice !== undefined) return { way, choice };
  }
  throw new Error('the last way always applies');
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Candidates for each number of tiers, made once and filled for each event. */
const pools: Writable<Candidate>[][] = [];

function candidatesOf(input: RouteInput, tiers: readonly SlipTier[]): readonly Candidate[] {
  const pool = (pools[tiers.length] ??= tiers.map((_, position) => ({ position, price: 0, harm: 0, bar: undefined })));
  const remaining: Remaining = { timeLeft: (input.deadlineAt ?? Infinity) - input.now, budget: input.budget ?? null };
  const shape = { stage: 'route', width: input.signatureWidth } as const;
  for (let position = 0; position < tiers.length; position++) {
    const tier = tiers[position]!;
    const one = pool[position]!;
    one.price = priceOf(tier);
    one.harm = position === tiers.length - 1 ? 0 : scoreHead(headOf(input.policy, tier.tier, shape), input.signature);
    one.bar = barOf(tier, remaining);
  }
  return pool;
}

function atSafeEnd({ input: { policy }, own, candidates }: RouteContext): Choice | undefined {
  const heavy = candidates[candidates.length - 1]!;
  if (policy.heavyOnly) return waitFor(heavy, Object.hasOwn(whyHeavyOnly, policy.reason) ? policy.reason : undefined);
  return own?.heavyOnly === true ? waitFor(heavy, segmentSpent) : undefined;
}

function aroundLateHeavy({ input: { policy, flow }, own, candidates }: RouteContext): Choice | undefined {
  const safeEnd = policy.heavyOnly || own?.heavyOnly === true;
  if (!safeEnd || !flow.overload.includes('lighten') || candidates[candidates.length - 1]!.bar !== 'late') return undefined;
  const lightest = candidates.find(isOpen);
  return lightest && waitFor(lightest, undefined);
}

/** A rule is the operator's word: it overrides the score, not the stop rule that judges the answer afterwards. */
function byDeclaredRule({ input: { rule, flow, policy }, own, candidates }: RouteContext): Choice | undefined {
  if (rule === undefined) return undefined;
  const position = flow.tiers.findIndex((tier) => tier.name === rule.tier);
  const chosen = candidates[position];
  if (chosen === undefined || !isOpen(chosen)) return undefined;
  return { position, harm: chosen.harm, score: chosen.price + chosen.harm / thresholdOf(policy, own), detail: rule.name };
}

function ruleDetail({ input: { rule, flow }, candidates }: RouteContext): string {
  const bar = candidates[flow.tiers.findIndex((tier) => tier.name === rule!.tier)]?.bar;
  return bar === undefined ? rule!.name : `${rule!.name}:${formatBars([{ tier: rule!.tier, bar }])}`;
}

function whenNothingIsOpen(context: RouteContext): Choice | undefined {
  const { input, candidates } = context;
  if (candidates.some(isOpen)) return undefined;
  const heavy = candidates[candidates.length - 1]!;
  const late = candidates.filter(({ bar }) => bar === 'late');
  if (input.flow.overload.includes('lighten') && late.length > 0) return waitFor(soonest(late, input), barredTiers(context));
  // Waiting for heavy keeps the promised quality; any light tier would wait as long and keep nothing. Where the budget comes first it is the cheapest.
  if ((input.budget ?? null) === null) return waitFor(heavy, barredTiers(context));
  const working = candidates.filter(({ bar }) => bar === 'unpaid' || bar === 'late');
  const least = working.reduce<Candidate>((best, one) => (one.price < best.price ? one : best), working[0] ?? heavy);
  return waitFor(least, barredTiers(context));
}

function soonest(late: readonly Candidate[], { waits = [] }: RouteInput): Candidate {
  return late.reduce((best, one) => (waits[one.position]! < waits[best.position]! ? one : best));
}

function waitFor({ position, harm, price }: Candidate, detail: string | undefined): Choice {
  return { position, harm, score: price, detail };
}

function barredTiers({ input: { flow }, candidates }: RouteContext): string | undefined {
  // Hardly ever is one barred: without this look, lists would be made for every event.
  if (candidates.every(isOpen)) return undefined;
  return formatBars(candidates.flatMap(({ position, bar }) => (bar === undefined ? [] : [{ tier: flow.tiers[position]!.name, bar }])));
}

/** Values of the tiers of the event at hand; flows have at most 8. */
const values = new Float64Array(8);

/**
 * argmin over eligible tiers of c_k + w_k + pi_k * next_k + residual_k / tau. Tiers are valued from heavy downwards, because a
 * light tier's value contains that of the best tier it may escalate to.
 */
function cheapest({ input, own, candidates }: RouteContext, detail: string | undefined): Choice {
  const threshold = thresholdOf(input.policy, own);
  values.fill(Infinity);
  let best = candidates.length - 1;
  for (let position = candidates.length - 1; position >= 0; position--) {
    const one = candidates[position]!;
    if (!isOpen(one) || isDominated(one, candidates)) continue;
    values[position] = valueOf(one, candidates, threshold);
    // `<=`: of two equals the lighter runs first. `!(>)` would let NaN through.
    if (values[position]! <= values[best]!) best = position;
  }
  return { position: best, harm: candidates[best]!.harm, score: values[best]!, detail };
}

function valueOf(one: Candidate, candidates: readonly Candidate[], threshold: number): number {
  if (one.position === candidates.length - 1) return one.price;
  let next = Infinity;
  for (let above = one.position + 1; above < candidates.length; above++) {
    // Going on to a tier that is expected to be no better would repeat the doubt at a price.
    if (candidates[above]!.harm < one.harm && values[above]! < next) next = values[above]!;
  }
  const bar = threshold * next;
  const goingOn = next < Infinity ? escalationChance(one.harm, bar) * next : 0;
  return one.price + goingOn + residualHarm(one.harm, bar) / threshold;
}
