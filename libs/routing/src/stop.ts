import type { Answer, EpochMs, Flow, PolicySnapshot, Step, Tag } from '@sluice/domain';
import { decideAudit, type Audit } from './audit.ts';
import { harmAfterAnswer } from './candidate.ts';
import { better, costSoFar, onwards, remainingOf, type Continuation } from './continuation.ts';
import { barOf, formatBars, sayBars } from './eligibility.ts';
import { headOf, headWidth, outputRow, scoreHead } from './heads.ts';
import { stale } from './policy.ts';
import { formatReason } from './reason.ts';
import { segmentPolicy } from './segments/segment-policy.ts';
import { percent, sayThreshold, short, type Teller, type Told } from './telling.ts';
import { judgeTogether, type Together } from './together.ts';

/** What a worker knows when its tier has answered. */
export interface StopInput {
  readonly flow: Flow;
  readonly signatureWidth: number;
  /** The tag of the record; the answer is that of `tag.slip.tiers[tag.slip.position]`. */
  readonly tag: Tag;
  /**
   * The policy the worker holds, named in the step. Threshold and prices stay those of the slip; heads are this policy's, and
   * when it is newer than the router's and at the safe end, of the flow or of the segment, the safe end holds from here on.
   */
  readonly policy: PolicySnapshot;
  readonly answer: Answer;
  readonly now: EpochMs;
}

interface Judged {
  /** The tier that answered, when the answer is served; the tier that is to answer next, when it is not. */
  readonly position: number;
  /** Estimated probability that this answer is wrong where heavy's is right; 0 for heavy's. */
  readonly harm: number;
  /** Cost of all tiers that ran for the user up to now, relative to heavy = 1. */
  readonly cost: number;
  /** Its tier is the tier that answered, also when it escalates. */
  readonly step: Step;
}

export interface Stop extends Judged {
  readonly kind: 'stop';
  /** What is served: the answer in hand, or what all answers add up to. */
  readonly label: number;
  readonly confidence: number;
  readonly audit: Audit;
}

export interface Escalate extends Judged {
  readonly kind: 'escalate';
}

interface StopContext {
  readonly input: StopInput;
  /** g_k(x, o); 0 for heavy's answer. */
  readonly harm: number;
  /** What the policy makes of all answers together, where it can. */
  readonly together: Together | undefined;
  /** The cheapest way on, or undefined when no heavier tier may take it. */
  readonly next: Continuation | undefined;
}

/** One verdict on an answer: it decides where to go on to, or to serve, and later says why. */
export interface Verdict extends Teller {
  holds(context: StopContext): boolean;
  /** Where to go on to; undefined serves the answer. */
  goesOn(context: StopContext): Continuation | undefined;
}

const serve = () => undefined;
const nowhereToGo = 'nowhere-to-go';

/** Name of the verdict on an answer whose worker held a policy that was not renewed in time. */
export const policyStale = 'policy-stale';

/** The verdicts, in order: the first that holds decides. */
export const verdicts: readonly Verdict[] = [
  {
    name: 'settled',
    holds: ({ input, together, next }) =>
      together !== undefined && (next === undefined || together.risk / input.tag.slip.threshold <= next.score),
    goesOn: serve,
    say: (told) => `${sayTogether(told)}; no other tier was worth its price, so this was served.`,
  },
  {
    name: 'second-opinion',
    holds: ({ together }) => together !== undefined,
    goesOn: ({ next }) => next,
    say: (told) => `${sayTogether(told)}; the ${told.detail} tier's opinion was worth its price (${sayPrice(told)}), so it went on there.`,
  },
  {
    name: 'heavy',
    holds: ({ input: { tag } }) => isHeavy(tag, tag.slip.position),
    goesOn: serve,
    say: (told) => `${sayAnswer(told)}; heavy's answer is final.`,
  },
  {
    name: policyStale,
    holds: ({ input }) => input.policy.reason === stale && !isHeavyOutOfReach(input),
    goesOn: ({ input: { tag } }) => onwards(tag, tag.slip.tiers.length - 1, 0),
    say: (told) => `${sayAnswer(told)}, but the newest policy was older than its lease, so it went on to the ${told.detail} tier.`,
  },
  {
    name: 'heavy-only',
    holds: ({ input }) => atSafeEnd(input) && !isHeavyOutOfReach(input),
    goesOn: ({ input: { tag } }) => onwards(tag, tag.slip.tiers.length - 1, 0),
    say: (told) =>
      `${sayAnswer(told)}, but ${told.slip.segment === '' ? 'the flow was' : 'the flow, or its segment, was'} at its safe end, so it went on to the ${told.detail} tier.`,
  },
  {
    name: nowhereToGo,
    holds: ({ next }) => next === undefined,
    goesOn: serve,
    say: (told) =>
      `${sayDoubt(told)}; no heavier tier could take it${told.detail === undefined ? '' : `: ${sayBars(told.detail)}`}; so this answer was served.`,
  },
  {
    name: 'confident',
    holds: ({ input, harm, next }) => harm / input.tag.slip.threshold <= next!.score,
    goesOn: serve,
    say: (told) =>
      `${sayDoubt(told)}; at ${sayThreshold(told.slip)} that risk is worth ${short(told.step.score)} times heavy's cost, no more than going on would cost, so the answer was served.`,
  },
  {
    name: 'uncertain',
    holds: () => true,
    goesOn: ({ next }) => next,
    say: (told) => {
      const worth = short(told.step.harm / told.slip.threshold);
      return `${sayDoubt(told)}; at ${sayThreshold(told.slip)} that risk is worth ${worth} times heavy's cost, more than going on to the ${told.detail} tier (${sayPrice(told)}), so it went on there.`;
    },
  },
];

function sayAnswer({ step, answer, label }: Told): string {
  return answer === undefined
    ? `The ${step.tier} tier answered`
    : `The ${step.tier} tier answered '${label}' with confidence ${answer.confidence.toFixed(2)}`;
}

/** What going on was priced at, and how much of it is the next tier's own cost; the rest is waiting and remaining risk. */
function sayPrice({ step, slip, detail }: Told): string {
  const next = slip.tiers.find((entry) => entry.tier === detail);
  const total = short(step.score);
  if (next === undefined || short(next.cost) === total) return total;
  return `${total}, of which ${short(next.cost)} is its own cost`;
}

/** What the answers so far say together, when it is not what the last of them says. */
function sayTogether(told: Told): string {
  const { step, detail } = told;
  const overruled =
    step.kind === 'stop' && detail !== undefined ? `; weighed with all that is known of its answers the label is '${detail}'` : '';
  const doubt = step.harm > 0 ? `; estimated chance that this errs where heavy would be right: ${percent(step.harm)}` : '';
  return `${sayAnswer(told)}${overruled}${doubt}`;
}

function sayDoubt(told: Told): string {
  return `${sayAnswer(told)}; estimated chance that it errs where heavy would be right: ${percent(told.step.harm)}`;
}

/**
 * Serve the answer or go on (docs/routing.md 3a, stop rule): after tier k, `j* = argmin_{j>k} c_j + w_j + g_j(x, o) / tau`; stop if
 * `g_k(x, o) / tau` is no larger than that minimum. Threshold, prices and safe end are those of the slip.
 */
export function afterAnswer(input: StopInput): Stop | Escalate {
  const context = contextOf(input);
  const verdict = verdicts.find((one) => one.holds(context))!;
  const to = verdict.goesOn(context);
  return to === undefined ? stop(context, verdict.name) : goOn(context, verdict.name, to);
}

function contextOf(input: StopInput): StopContext {
  // At the safe end heavy's own answer is what is promised.
  const together = atSafeEnd(input) ? undefined : judgeTogether(input);
  if (together !== undefined) return { input, harm: together.harm, together, next: together.next };
  const heavy = isHeavy(input.tag, input.tag.slip.position);
  const harm = heavy ? 0 : judge(input);
  return { input, harm, together, next: heavy ? undefined : bestContinuation(input, harm) };
}

function atSafeEnd({ tag, policy }: StopInput): boolean {
  if (tag.slip.heavyOnly) return true;
  if (policy.version <= tag.policyVersion) return false;
  return policy.heavyOnly || segmentPolicy(policy, tag.slip.segment)?.heavyOnly === true;
}

/** g_k(x, o): harm of the answer in hand. */
function judge({ flow, policy, signatureWidth, tag, answer }: StopInput): number {
  const width = headWidth(signatureWidth, flow.labels.length, 'stop');
  const output = outputRow(answer, signatureWidth, flow.labels.length);
  return scoreHead(headOf(policy, answer.tier, { stage: 'stop', width }), tag.signature, output);
}

function bestContinuation({ policy, tag, signatureWidth, now }: StopInput, harm: number): Continuation | undefined {
  const { tiers, position } = tag.slip;
  const shape = { stage: 'route', width: signatureWidth } as const;
  const own = headOf(policy, tiers[position]!.tier, shape);
  // Without an expectation there is no surprise to carry over to the other tiers.
  const before = own === undefined ? harm : scoreHead(own, tag.signature);
  const remaining = remainingOf(tag, now);
  let best: Continuation | undefined;
  for (let next = position + 1; next < tiers.length; next++) {
    const tier = tiers[next]!;
    if (barOf(tier, remaining) !== undefined) continue;
    const expected = isHeavy(tag, next) ? 0 : harmAfterAnswer(scoreHead(headOf(policy, tier.tier, shape), tag.signature), before, harm);
    const one = onwards(tag, next, expected);
    if (best === undefined || better(one, best)) best = one;
  }
  return best;
}

/** Why each heavier tier may not take it. */
function barredAbove(input: StopInput): string | undefined {
  const remaining = remainingOf(input.tag, input.now);
  const above = input.tag.slip.tiers.slice(input.tag.slip.position + 1);
  return formatBars(above.flatMap((tier) => ({ tier: tier.tier, bar: barOf(tier, remaining)! })).filter(({ bar }) => bar !== undefined));
}

/** Then lighter tiers stand in for it, also at the safe end, because the flow says so: heavy failed, or cannot make it under the load. */
function isHeavyOutOfReach({ flow, tag, now }: StopInput): boolean {
  const bar = barOf(tag.slip.tiers[tag.slip.tiers.length - 1]!, remainingOf(tag, now));
  return bar === 'failed' || (bar === 'late' && flow.overload.includes('lighten'));
}

function isHeavy(tag: Tag, position: number): boolean {
  return position >= tag.slip.tiers.length - 1;
}

function stop({ input, harm, together }: StopContext, name: string): Stop {
  const { slip } = input.tag;
  const risk = together?.risk ?? harm;
  const { label, confidence } = together?.fused ?? input.answer;
  const overruling = label === input.answer.label ? undefined : input.flow.labels[label];
  const detail = name === nowhereToGo ? barredAbove(input) : overruling;
  const step = stepOf(input, { kind: 'stop', harm, score: risk > 0 ? risk / slip.threshold : 0, reason: formatReason({ name, detail }) });
  const audit = decideAudit(input.tag, harm);
  return { kind: 'stop', position: slip.position, harm, cost: costSoFar(input.tag), step, audit, label, confidence };
}

function goOn({ input, harm }: StopContext, name: string, to: Continuation): Escalate {
  const reason = formatReason({ name, detail: input.tag.slip.tiers[to.position]!.tier });
  const step = stepOf(input, { kind: 'escalate', harm, score: to.score, reason });
  return { kind: 'escalate', position: to.position, harm, cost: costSoFar(input.tag), step };
}

function stepOf({ tag, policy, now }: StopInput, step: Pick<Step, 'kind' | 'harm' | 'score' | 'reason'>): Step {
  const { kind, harm, score, reason } = step;
  return { kind, tier: tag.slip.tiers[tag.slip.position]!.tier, harm, score, reason, at: now, policyVersion: policy.version };
}
