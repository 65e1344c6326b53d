import type { Answer, Flow, PolicySnapshot, Prediction, Step, Tag } from '@sluice/domain';
import { stale, stalePolicy } from './policy.ts';
import { parseReason } from './reason.ts';
import { fallBack, fallBackLate } from './fallback.ts';
import { failureNamed } from './failure.ts';
import { servedPrediction } from './leg.ts';
import { route } from './route.ts';
import type { RuleHit } from './rules/rules.ts';
import { afterAnswer, policyStale } from './stop.ts';

export interface Replay {
  readonly flow: Flow;
  readonly signatureWidth: number;
  readonly prediction: Prediction;
  /** Every policy version that a step of the trail may cite, the initial one among them. */
  readonly policies: ReadonlyMap<number, PolicySnapshot>;
}

/**
 * Makes every decision about a served event again, each with the policy its step cites, and compares step by step, bit
 * for bit. Undefined when all come out the same; else the first difference in words.
 */
export function replayTrail(replay: Replay): string | undefined {
  const { trail, answers } = replay.prediction;
  const first = trail[0];
  if (first === undefined) return 'the trail is empty';
  const differs = replayRoute(replay, first);
  if (differs !== undefined) return differs;
  let given = 0;
  for (let at = 1; at < trail.length; at++) {
    const step = trail[at]!;
    if (step.kind === 'fallback') {
      const fault = replayFallback(replay, { step, at, answers: answers.slice(0, given) });
      if (fault !== undefined) return fault;
      continue;
    }
    const answer = answers[given];
    if (answer === undefined) return `step ${at} (${step.kind}) judges an answer that is missing`;
    const fault = replayStop(replay, { step, at, answer, answers: answers.slice(0, given) });
    if (fault !== undefined) return fault;
    given++;
  }
  return given === answers.length ? undefined : `${answers.length - given} answers were never judged`;
}

function replayRoute({ flow, signatureWidth, prediction, policies }: Replay, step: Step): string | undefined {
  const cited = policyOf(policies, step);
  if (cited === undefined) return `policy ${step.policyVersion}, cited by the first step, is unknown`;
  const { tiers, segment, heavyOnly } = prediction.slip;
  // The slip tells of the safe end also where the step's reason is another one.
  const own = cited.segments.find((one) => one.segment === segment)?.heavyOnly;
  const policy = heavyOnly && !cited.heavyOnly && own !== true ? stalePolicy(cited) : cited;
  const decision = route({
    id: prediction.id,
    source: prediction.source,
    flow,
    policy,
    costs: tiers.map(({ cost }) => cost),
    queuePrices: tiers.map(({ queuePrice }) => queuePrice),
    waits: tiers.map(({ wait }) => wait),
    bars: tiers.map(({ bar }) => bar),
    deadlineAt: prediction.deadlineAt,
    budget: prediction.slip.budget,
    signature: prediction.signature,
    signatureWidth,
    segment,
    rule: ruleOf(flow, step),
    now: step.at,
  });
  if (decision.shed) return 'step 0: made again, the event is shed';
  if (decision.slip.auditDraw !== prediction.slip.auditDraw) return 'the audit draw differs';
  if (decision.slip.auditRate !== prediction.slip.auditRate) return 'the audit rate differs';
  if (decision.slip.threshold !== prediction.slip.threshold) return 'the threshold differs';
  return difference('step 0', step, decision.step);
}

interface Judgement {
  readonly step: Step;
  readonly at: number;
  readonly answer: Answer;
  /** Known before it. */
  readonly answers: readonly Answer[];
}

function replayStop({ flow, signatureWidth, prediction, policies }: Replay, { step, at, answer, answers }: Judgement): string | undefined {
  const policy = policyOf(policies, step);
  if (policy === undefined) return `policy ${step.policyVersion}, cited by step ${at}, is unknown`;
  const tag = tagBefore(prediction, { at, tier: answer.tier, answers });
  const decision = afterAnswer({ flow, signatureWidth, tag, policy, answer, now: step.at });
  const fault = decision.kind === 'stop' ? differenceServed(flow, prediction, { tag, answer, decision }) : undefined;
  return fault ?? difference(`step ${at}`, step, decision.step);
}

/** Whether an equal request was remembered cannot be found out again: the step says what was remembered, where that was used. */
function replayFallback({ flow, prediction }: Replay, { step, at, answers }: Omit<Judgement, 'answer'>): string | undefined {
  const { name, detail } = parseReason(step.reason);
  const failure = failureNamed(name);
  if (failure === undefined) return `step ${at} fell back for ${name}, which is not known`;
  const tag = tagBefore(prediction, { at, tier: step.tier, answers });
  const cached = detail?.startsWith('cached=') ? detail.slice('cached='.length) : undefined;
  const input = { flow, tag, failure, cached, policyVersion: step.policyVersion, now: step.at };
  const fallback = failure === 'SLUICE_OVERLOADED' ? fallBackLate(input) : fallBack(input);
  if (fallback === undefined || fallback === 'shed') return `step ${at} fell back, made again the event is not answered`;
  if (fallback.kind !== 'serve') return difference(`step ${at}`, step, fallback.tag.trail[at]!);
  const { decision } = fallback;
  const served = { tag: fallback.tag, answer: answers[answers.length - 1]!, decision };
  return differenceServed(flow, prediction, served) ?? difference(`step ${at}`, step, decision.step);
}

/** The tag as it was before step `at`, on its way to `tier`. */
function tagBefore(
  prediction: Prediction,
  { at, tier, answers }: { readonly at: number; readonly tier: string; readonly answers: readonly Answer[] },
): Tag {
  const position = prediction.slip.tiers.findIndex((one) => one.tier === tier);
  const { trail, slip } = prediction;
  return { ...prediction, schema: 0, shadow: false, slip: { ...slip, position }, trail: trail.slice(0, at), answers };
}

function differenceServed(flow: Flow, prediction: Prediction, served: Parameters<typeof servedPrediction>[1]): string | undefined {
  const { audit } = served.decision;
  if (audit.drawn !== prediction.audit.drawn || audit.probability !== prediction.audit.probability) return 'the audit differs';
  const again = servedPrediction(flow, served);
  const key = (['label', 'confidence', 'harm', 'cost'] as const).find((one) => !Object.is(prediction[one], again[one]));
  return key && `the ${key} served was ${prediction[key]}, made again it is ${again[key]}`;
}

/** The policy a step cites, as it was in force: a lease that had run out is not in the snapshot but in the step's reason. */
function policyOf(policies: Replay['policies'], { policyVersion, reason }: Step): PolicySnapshot | undefined {
  const policy = policies.get(policyVersion);
  const { name, detail } = parseReason(reason);
  const lapsed = name === policyStale || (name === 'heavy-only' && detail === stale);
  return policy && lapsed ? stalePolicy(policy) : policy;
}

/** The declared rule that the trail says decided; what its condition read is not needed to decide again. */
function ruleOf(flow: Flow, step: Step): RuleHit | undefined {
  const reason = parseReason(step.reason);
  const name = step.kind === 'rule' ? reason.name : reason.name === 'rule-tier-closed' ? reason.detail?.split(':')[0] : undefined;
  return flow.rules.find((rule) => rule.name === name);
}

function difference(where: string, logged: Step, again: Step): string | undefined {
  for (const key of ['kind', 'tier', 'harm', 'score', 'reason'] as const) {
    if (!Object.is(logged[key], again[key])) return `${where}: ${key} was ${String(logged[key])}, made again it is ${String(again[key])}`;
  }
  return undefined;
}
