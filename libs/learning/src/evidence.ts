import type { Answer, Example, Flow } from '@sluice/domain';

/** Largest weight an audited example gets in learning: rare draws must not throw the heads about (docs/routing.md 3b). */
const largestWeight = 10;

/** A light tier's answer beside heavy's for the same event. */
export interface Pair {
  /** Index of the light tier in the flow. */
  readonly tier: number;
  readonly answer: Answer;
  readonly disagrees: boolean;
  /** 1 / (probability that both answers would be known), at most 10. */
  readonly weight: number;
  /** True when both ran for the user: the pair was known at the decision, audit or not. */
  readonly served: boolean;
}

/** What an example says about each tier of its flow. */
export interface Evidence {
  /** Index of the tier that served; -1 when the flow no longer has it. */
  readonly tier: number;
  /** True when another answer than heavy's was served: a lighter tier's, or what all answers add up to. Only then can there be loss. */
  readonly light: boolean;
  /** Heavy answered for the user and the answers together overruled it: its loss is known with probability 1. */
  readonly overruled: boolean;
  /** Shadow runs have filled the answers up to all tiers: exactly then the join has emitted the shadow part. */
  readonly compared: boolean;
  readonly audited: boolean;
  readonly probability: number;
  /** Label that was served. */
  readonly served: number | undefined;
  readonly heavy: Answer | undefined;
  readonly pairs: readonly Pair[];
  /** Answers that ran for the user. */
  readonly given: readonly Answer[];
}

/** Reads an example. Its answers stand in the order they ran for the user, the serving tier's last, then those of shadow runs. */
export function evidenceOf(flow: Flow, example: Example): Evidence {
  const last = flow.tiers.length - 1;
  const tier = flow.tiers.findIndex((entry) => entry.name === example.tier);
  const servedCount = 1 + example.answers.findIndex((answer) => answer.tier === example.tier);
  const known = flow.tiers.map((entry) => example.answers.findIndex((answer) => answer.tier === entry.name));
  const heavy = example.answers[known[last]!];
  const ranForUser = (index: number): boolean => known[index]! >= 0 && known[index]! < servedCount;
  const served = tier < 0 ? undefined : (example.served ?? example.answers[known[tier]!]?.label);
  const heavyRan = ranForUser(last);
  const overruled = heavyRan && served !== heavy!.label;
  const drawn = Math.min(1, Math.max(1e-6, example.audit.probability));
  const pairOf = (index: number): Pair[] => {
    const answer = example.answers[known[index]!];
    if (answer === undefined || heavy === undefined) return [];
    const both = ranForUser(index) && heavyRan;
    const weight = both ? 1 : Math.min(largestWeight, 1 / drawn);
    return [{ tier: index, answer, disagrees: answer.label !== heavy.label, weight, served: both }];
  };
  return {
    tier,
    light: !heavyRan || overruled,
    overruled,
    compared: example.audit.drawn && example.answers.length > servedCount && known.every((index) => index >= 0),
    audited: overruled || example.audit.drawn,
    probability: overruled ? 1 : drawn,
    served,
    heavy,
    given: example.answers.slice(0, servedCount),
    pairs: flow.tiers.slice(0, -1).flatMap((_, index) => pairOf(index)),
  };
}

/** The example where it is the last word on its event, with the truth that counts; undefined while that is still to come, and after it. */
export function lastWordOf(flow: Flow, example: Example, { compared }: Evidence): Example | undefined {
  const { part } = example;
  if (part === 'decision') return undefined;
  if (flow.feedback.mode !== 'disagreement') return part === 'shadow' ? undefined : example;
  // Disagreement is known with the shadow answers. What comes later only ends the wait for answers that never came.
  return part === 'shadow' || !compared ? { ...example, truth: null } : undefined;
}

/** Harm of a label once everything is known: it is wrong where heavy is right. Without truth, every disagreement counts as harm. */
export function isHarm(label: number, heavy: Answer, truth: number | null): boolean {
  if (label === heavy.label) return false;
  return truth === null || heavy.label === truth;
}
