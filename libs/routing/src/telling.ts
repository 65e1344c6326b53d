import type { Answer, Flow, PolicySnapshot, Slip, Step } from '@sluice/domain';
import { parseReason } from './reason.ts';

/** What makes an explanation better than the event's own record allows. */
export interface ExplainContext {
  /** Labels and rules in words. */
  readonly flow?: Flow | undefined;
  /** The snapshot that decided the last step; any other version is ignored. */
  readonly policy?: PolicySnapshot | undefined;
  /** Column names of the signature (`Signature.names`); needed, with the policy, to name features. */
  readonly signatureNames?: readonly string[] | undefined;
}

/** What a decision rule is given to say, in a sentence, why it decided as it did: facts of the trail, no knowledge of its own. */
export interface Told {
  readonly step: Step;
  /** What the reason is about: a tier, a rule, a list of tiers. */
  readonly detail: string | undefined;
  readonly slip: Slip;
  /** The answer the step judged; undefined for the first decision, which sees none. */
  readonly answer: Answer | undefined;
  /** Name of the answer's label. */
  readonly label: string;
  /** The flow author's words for a declared rule, when the flow is at hand. */
  because(rule: string): string | undefined;
}

/** Something that decides and can say so. Found again by the name it left in the trail. */
export interface Teller {
  readonly name: string;
  say(told: Told): string;
}

/** The rule behind a step: declared rules leave their own name, all others the teller's. */
export function tellerOf<T extends Teller>(tellers: readonly T[], step: Step): T | undefined {
  const name = step.kind === 'rule' ? 'rule' : parseReason(step.reason).name;
  return tellers.find((teller) => teller.name === name);
}

/** `8 %`, `0.4 %`, `0.02 %`: two significant digits below 10 %. */
export function percent(share: number): string {
  const hundredths = 100 * share;
  return `${hundredths >= 9.95 ? Math.round(hundredths) : Number(hundredths.toPrecision(2))} %`;
}

/** Two significant digits below 10, for costs and thresholds. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return 'infinite';
  return value >= 9.95 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** `threshold 0.02`, `threshold 0.02 (segment acme)`. */
export function sayThreshold({ threshold, segment }: Slip): string {
  return `threshold ${short(threshold)}${segment === '' ? '' : ` (segment ${segment})`}`;
}

/** `fast`, `fast and standard`, `fast, standard and heavy`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}
