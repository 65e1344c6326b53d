import {
  delayText,
  errorTable,
  fallbacksOf,
  type EpochMs,
  type FallbackWay,
  type Flow,
  type Millis,
  type PolicyVersion,
  type Step,
  type Tag,
} from '@sluice/domain';
import { decideAudit } from './audit.ts';
import { priceOf } from './candidate.ts';
import { remainingAfterFailure } from './continuation.ts';
import { barOf, hasFailed, spentOn } from './eligibility.ts';
import { failures, isRetry, type Failure } from './failure.ts';
import { formatReason, parseReason } from './reason.ts';
import type { Stop } from './stop.ts';

/** What a worker knows when its tier gave no answer. */
export interface FallbackInput {
  readonly flow: Flow;
  readonly tag: Tag;
  readonly failure: Failure;
  /** Version of the model that once answered an equal request; undefined when none is remembered. */
  readonly cached?: string | undefined;
  readonly policyVersion: PolicyVersion;
  readonly now: EpochMs;
}

export type Fallback =
  /** The tag of the record on its way to another tier. */
  | { readonly kind: 'go'; readonly tag: Tag }
  /** The remembered answer is judged as if the tier had just given it, with this tag. */
  | { readonly kind: 'cached'; readonly tag: Tag }
  /** The same record again, `delayMs` from now. */
  | { readonly kind: 'retry'; readonly tag: Tag; readonly delayMs: Millis; readonly attempts: number }
  /** The last of the answers at hand is served; it stays in the tag. */
  | { readonly kind: 'serve'; readonly tag: Tag; readonly decision: Stop };

/** The first of the declared ways that can be gone; undefined when the event becomes a dead letter. A tier that failed on it is not tried again. */
export function fallBack(input: FallbackInput): Fallback | undefined {
  const { flow, tag } = input;
  for (const way of fallbacksOf(flow, tag.slip.tiers[tag.slip.position]!.tier)) {
    if (way === 'dead-letter') return undefined;
    const found = ways[way](input);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * What the flow declares for an event that a worker takes up only after its deadline: the answer that a lighter tier has given is served, or it is
 * shed; undefined where it is answered all the same.
 */
export function fallBackLate(input: Omit<FallbackInput, 'failure' | 'cached'>): Extract<Fallback, { kind: 'serve' }> | 'shed' | undefined {
  const { flow, tag, now } = input;
  if (tag.shadow || now <= tag.deadlineAt) return undefined;
  if (flow.overload.includes('lighten') && tag.answers.length > 0) return serveLast({ ...input, failure: 'SLUICE_OVERLOADED' });
  return flow.overload.includes('shed') ? 'shed' : undefined;
}

const ways: Readonly<Record<Exclude<FallbackWay, 'dead-letter'>, (input: FallbackInput) => Fallback | undefined>> = {
  retry: again,
  heavier,
  lighter,
  cached: (input) => (input.cached === undefined ? undefined : { kind: 'cached', tag: noted(input, { detail: `cached=${input.cached}` }) }),
};

/** Attempts are counted in the trail, so they go on counting wherever the record has been meanwhile. */
function again(input: FallbackInput): Fallback | undefined {
  const { flow, tag, failure } = input;
  const { tier } = tag.slip.tiers[tag.slip.position]!;
  const before = tag.trail.filter((step) => step.kind === 'fallback' && step.tier === tier && isRetry(parseReason(step.reason))).length;
  const delayMs = flow.retry.delaysMs[before];
  if (delayMs === undefined || errorTable[failure].class !== 'retry') return undefined;
  return { kind: 'retry', delayMs, attempts: before + 1, tag: noted(input, { detail: `retry=${delayText(delayMs)}` }) };
}

function goTo(input: FallbackInput, position: number | undefined): Fallback | undefined {
  if (position === undefined) return undefined;
  const next = input.tag.slip.tiers[position]!;
  const tag = noted(input, { detail: next.tier, score: priceOf(next) });
  return { kind: 'go', tag: { ...tag, slip: { ...tag.slip, position } } };
}

/** Where that tier has answered, and the failed one was to be one more opinion, what is there is served: no tier is asked twice. */
function heavier(input: FallbackInput): Fallback | undefined {
  const { slip, answers } = input.tag;
  const position = heavierThan(input);
  const hasAnswered = position !== undefined && answers.some(({ tier }) => tier === slip.tiers[position]!.tier);
  return hasAnswered ? serveLast(input) : goTo(input, position);
}

/**
 * Heavy: quality is kept, the cost is not. Where the budget comes first it is the heaviest tier that is paid for, and when none is the cheapest: an
 * answer is owed.
 */
function heavierThan({ tag, now }: FallbackInput): number | undefined {
  const { slip, trail } = tag;
  const all = slip.tiers.map((tier, position) => ({ tier, position })).slice(slip.position + 1);
  const above = all.filter(({ tier }) => !hasFailed(trail, tier.tier));
  if (slip.budget === null || slip.heavyOnly) return above.at(-1)?.position;
  const remaining = remainingAfterFailure(tag, now);
  const paid = above.findLast(({ tier }) => barOf(tier, remaining) === undefined);
  if (paid !== undefined) return paid.position;
  const working = above.filter(({ tier }) => barOf(tier, { timeLeft: Infinity, budget: null }) === undefined);
  const [first = above.at(-1), ...others] = working;
  return others.reduce((best, one) => (one.tier.cost < best!.tier.cost ? one : best), first)?.position;
}

function lighter(input: FallbackInput): Fallback | undefined {
  const { tag, now } = input;
  const remaining = remainingAfterFailure(tag, now);
  for (let position = tag.slip.position - 1; position >= 0; position--) {
    const tier = tag.slip.tiers[position]!;
    if (tag.answers.some((answer) => answer.tier === tier.tier)) return serveLast(input);
    if (barOf(tier, remaining) === undefined) return goTo(input, position);
  }
  return undefined;
}

/** The answer was judged, and another was wanted; that will not come. */
function serveLast(input: FallbackInput): Extract<Fallback, { kind: 'serve' }> {
  const { slip, answers, trail } = input.tag;
  const answer = answers[answers.length - 1]!;
  const harm = trail.findLast(({ kind, tier }) => kind === 'escalate' && tier === answer.tier)?.harm ?? 0;
  const tag = noted(input, { detail: `served=${answer.tier}`, harm });
  const served = { slip: { ...slip, position: slip.tiers.findIndex(({ tier }) => tier === answer.tier) }, answers: answers.slice(0, -1) };
  const decision: Stop = {
    ...{ kind: 'stop', position: served.slip.position, harm, cost: spentOn(slip, answers), step: tag.trail[tag.trail.length - 1]! },
    ...{ audit: decideAudit(served, harm), label: answer.label, confidence: answer.confidence },
  };
  return { kind: 'serve', tag: { ...tag, trail, ...served }, decision };
}

function noted({ tag, failure, policyVersion, now }: FallbackInput, more: { detail: string; score?: number; harm?: number }): Tag {
  const { tier } = tag.slip.tiers[tag.slip.position]!;
  const reason = formatReason({ name: failures[failure].name, detail: more.detail });
  const step: Step = { kind: 'fallback', tier, harm: more.harm ?? 0, score: more.score ?? 0, reason, at: now, policyVersion };
  return { ...tag, trail: [...tag.trail, step] };
}
