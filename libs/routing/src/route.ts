import type { EpochMs, EventId, Flow, PolicySnapshot, Slip, SlipTier, SparseRow, Step, StepKind } from '@sluice/domain';
import { auditDraw, slipAuditRate, warmUp } from './audit.ts';
import { exclusionOf, isOpen, priceOf, type Candidate } from './candidate.ts';
import { headOf, scoreHead } from './heads.ts';
import { escalationChance, residualHarm } from './outlook.ts';
import { stale } from './policy.ts';
import { formatReason } from './reason.ts';
import type { RuleHit } from './rules/rules.ts';
import { listed, percent, short, type Teller, type Told } from './telling.ts';

/** Everything a routing decision depends on; equal inputs give equal decisions, bit for bit. */
export interface RouteInput {
  readonly id: EventId;
  readonly flow: Flow;
  readonly policy: PolicySnapshot;
  /** Cost of one event on each tier of the flow, in any one unit; divided by heavy's before use. */
  readonly costs: readonly number[];
  /** Price of waiting for each tier in the same unit: 0 when idle, Infinity when the tier is closed. */
  readonly queuePrices: readonly number[];
  readonly signature: SparseRow;
  readonly signatureWidth: number;
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
}

interface Choice {
  readonly position: number;
  readonly harm: number;
  readonly score: number;
  readonly detail?: string | undefined;
}

interface RouteContext {
  readonly input: RouteInput;
  readonly candidates: readonly Candidate[];
}

/** One way in which a first tier is chosen: it decides, and later says why. */
export interface Way extends Teller {
  readonly kind: StepKind;
  choose(context: RouteContext): Choice | undefined;
}

/**
 * The ways, in order: the first that applies decides. The safe end comes before declared rules, because its promise is that nobody is
 * served by a light tier.
 */
export const ways: readonly Way[] = [
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
    say: ({ step }) => `Every tier was closed, so it waited for the ${step.tier} tier, whose answers need no check.`,
  },
  {
    name: 'rule-tier-closed',
    kind: 'fallback',
    choose: (context) => (context.input.rule === undefined ? undefined : { ...cheapest(context), detail: context.input.rule.name }),
    say: (told) => `Rule "${told.detail}" asked for a tier that was closed. ${sayCheapest(told)}`,
  },
  {
    name: 'cheapest',
    kind: 'route',
    choose: (context) => ({ ...cheapest(context), detail: closedTiers(context) }),
    say: (told) =>
      told.detail === undefined ? sayCheapest(told) : `${sayCheapest(told)} Closed at that moment: ${listed(told.detail.split(','))}.`,
  },
];

/** By the detail of the reason; the safe end of the controller leaves none. */
const whyHeavyOnly: Readonly<Record<string, string>> = {
  [warmUp]: 'the flow was still warming up, when heavy answers everything',
  [stale]: 'the newest policy was older than its lease, and then only heavy may answer',
};

function sayCheapest({ step, slip }: Told): string {
  const risk = step.harm > 0 ? `; estimated chance that it errs where heavy is right: ${percent(step.harm)}` : '';
  return `The ${step.tier} tier was the cheapest plan at threshold ${short(slip.threshold)} (${short(step.score)} times heavy's cost, risk included${risk}), so it ran first.`;
}

/** Decides which tier runs first and plans the rest (docs/routing.md 3a, pre-route). */
export function route(input: RouteInput): RouteDecision {
  const tiers = priceTiers(input);
  const context = { input, candidates: tiers.map((tier, position) => candidate(input, tier, position)) };
  const { way, choice } = choose(context);
  const { policy, flow, now } = input;
  const { position, harm, score, detail } = choice;
  const slip: Slip = {
    tiers,
    position,
    threshold: policy.threshold,
    heavyOnly: policy.heavyOnly,
    auditRate: slipAuditRate(policy),
    auditDraw: auditDraw(input.id, policy.version, flow.audit.key),
  };
  const reason = way.kind === 'rule' ? detail! : formatReason({ name: way.name, detail });
  const step: Step = { kind: way.kind, tier: tiers[position]!.tier, harm, score, reason, at: now, policyVersion: policy.version };
  return { position, slip, step, propensity: 1 };
}

function choose(context: RouteContext): { readonly way: Way; readonly choice: Choice } {
  for (const way of ways) {
    const choice = way.choose(context);
    if (choice !== undefined) return { way, choice };
  }
  throw new Error('the last way always applies');
}

function priceTiers({ flow, costs, queuePrices }: RouteInput): SlipTier[] {
  const heavy = costs[flow.tiers.length - 1];
  const unit = heavy !== undefined && heavy > 0 && heavy < Infinity ? heavy : 1;
  return flow.tiers.map((tier, position) => ({
    tier: tier.name,
    model: tier.model,
    cost: known(costs[position]) / unit,
    queuePrice: known(queuePrices[position]) / unit,
  }));
}

/** What nobody could measure counts as closed, never as free. */
function known(price: number | undefined): number {
  return price === undefined || Number.isNaN(price) ? Infinity : price;
}

function candidate(input: RouteInput, tier: SlipTier, position: number): Candidate {
  const heavy = position === input.flow.tiers.length - 1;
  const shape = { stage: 'route', width: input.signatureWidth } as const;
  const harm = heavy ? 0 : scoreHead(headOf(input.policy, tier.tier, shape), input.signature);
  return { position, price: priceOf(tier), harm };
}

function atSafeEnd({ input: { policy }, candidates }: RouteContext): Choice | undefined {
  if (!policy.heavyOnly) return undefined;
  return { ...waitForHeavy(candidates), detail: Object.hasOwn(whyHeavyOnly, policy.reason) ? policy.reason : undefined };
}

/** A rule is the operator's word: it overrides the score, not the stop rule that judges the answer afterwards. */
function byDeclaredRule({ input: { rule, flow, policy }, candidates }: RouteContext): Choice | undefined {
  if (rule === undefined) return undefined;
  const position = flow.tiers.findIndex((tier) => tier.name === rule.tier);
  const chosen = candidates[position];
  if (chosen === undefined || !isOpen(chosen)) return undefined;
  return { position, harm: chosen.harm, score: chosen.price + chosen.harm / policy.threshold, detail: rule.name };
}

function whenNothingIsOpen({ candidates }: RouteContext): Choice | undefined {
  // Waiting for heavy keeps the promised quality; any light tier would wait as long and keep nothing.
  return candidates.some(isOpen) ? undefined : waitForHeavy(candidates);
}

function waitForHeavy(candidates: readonly Candidate[]): Choice {
  const heavy = candidates[candidates.length - 1]!;
  return { position: heavy.position, harm: 0, score: heavy.price };
}

function closedTiers({ input: { flow }, candidates }: RouteContext): string | undefined {
  const closed = candidates.filter((one) => !isOpen(one));
  return closed.length === 0 ? undefined : closed.map((one) => flow.tiers[one.position]!.name).join(',');
}

/**
 * argmin over eligible tiers of c_k + w_k + pi_k * next_k + residual_k / tau. Tiers are valued from heavy downwards, because a
 * light tier's value contains that of the best tier it may escalate to.
 */
function cheapest({ input, candidates }: RouteContext): Choice {
  const values = new Float64Array(candidates.length).fill(Infinity);
  let best = candidates.length - 1;
  for (let position = candidates.length - 1; position >= 0; position--) {
    const one = candidates[position]!;
    if (exclusionOf(one, candidates) !== undefined) continue;
    values[position] = valueOf(one, { candidates, values, threshold: input.policy.threshold });
    // `<=`: of two equals the lighter runs first. `!(>)` would let NaN through.
    if (values[position]! <= values[best]!) best = position;
  }
  return { position: best, harm: candidates[best]!.harm, score: values[best]! };
}

interface Valued {
  readonly candidates: readonly Candidate[];
  readonly values: Float64Array;
  readonly threshold: number;
}

function valueOf(one: Candidate, { candidates, values, threshold }: Valued): number {
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
