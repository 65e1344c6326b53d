import { costShares, type Answer, type EventId, type Flow, type Prediction, type Step, type Tag } from '@sluice/domain';
import { heaviestFeatures, type Contribution } from './contribution.ts';
import { tellersOfFailures } from './failure.ts';
import { parseReason } from './reason.ts';
import { ways } from './route.ts';
import { verdicts } from './stop.ts';
import { listed, percent, tellerOf, type ExplainContext, type Teller, type Told } from './telling.ts';

export interface ExplainedStep extends Step {
  readonly sentence: string;
}

/** Why an event was decided as it was; plain data, fit for JSON. `renderExplanation` gives the paragraph. */
export interface Explanation {
  readonly id: EventId;
  readonly flow: string;
  readonly policyVersion: number;
  /** Empty where the flow names no segments. */
  readonly segment: string;
  readonly threshold: number;
  /** How much each dimension counts in every cost that is named; empty without the flow. */
  readonly costShares: ReturnType<typeof costShares>;
  readonly steps: readonly ExplainedStep[];
  /** Undefined while the event is still on its way. */
  readonly served:
    | {
        readonly tier: string;
        readonly model: string;
        readonly label: string;
        readonly confidence: number;
        readonly harm: number;
        readonly cost: number;
      }
    | undefined;
  readonly audit: { readonly probability: number; readonly drawn: boolean } | undefined;
  /** Features that moved the last estimate of harm most, largest first; empty without the policy and the names. */
  readonly features: readonly Contribution[];
}

/** Explains a served prediction, or the tag of an event on its way, from nothing but its own trail. */
export function explain(subject: Prediction | Tag, context: ExplainContext = {}): Explanation {
  const prediction = 'tier' in subject ? subject : undefined;
  return {
    id: subject.id,
    flow: subject.flow,
    policyVersion: subject.policyVersion,
    segment: subject.slip.segment,
    threshold: subject.slip.threshold,
    costShares: context.flow === undefined ? [] : costShares(context.flow.cost),
    steps: subject.trail.map((step) => ({ ...step, sentence: sentenceOf(subject, step, context) })),
    served: prediction && servedBy(prediction),
    // Where every tier ran for the user there was nothing left to check unseen.
    audit: prediction && { ...prediction.audit, drawn: prediction.audit.drawn && prediction.answers.length < prediction.slip.tiers.length },
    features: heaviestFeatures(subject, context),
  };
}

/** One plain paragraph for people. */
export function renderExplanation(explanation: Explanation): string {
  const { id, steps, served, audit, features } = explanation;
  const sentences = steps.map((step) => step.sentence);
  if (features.length > 0) sentences.push(`Weighing most in that estimate: ${features.map(sayFeature).join(', ')}.`);
  if (served === undefined) sentences.push('It has not been answered yet.');
  else sentences.push(`Served: '${served.label}' by ${served.model}, at ${percent(served.cost)} of what heavy costs.`);
  if (audit?.drawn === true && served !== undefined)
    sentences.push(`It was also checked unseen on the tiers that had not run (probability ${percent(audit.probability)}).`);
  if (explanation.costShares.some(([dimension]) => dimension !== 'time')) sentences.push(sayCosts(explanation));
  return `Event ${id}, decided under policy ${explanation.policyVersion} of flow ${explanation.flow}: ${sentences.join(' ')}`;
}

function sentenceOf(subject: Prediction | Tag, step: Step, { flow }: ExplainContext): string {
  const answer = subject.answers.find((one) => one.tier === step.tier);
  const judging = step.kind === 'stop' || step.kind === 'escalate';
  const told: Told = {
    step,
    slip: subject.slip,
    detail: parseReason(step.reason).detail,
    answer: judging ? answer : undefined,
    label: answer === undefined ? '' : labelOf(subject, answer, flow),
    because: (rule) => flow?.rules.find((entry) => entry.name === rule)?.because,
  };
  const teller = tellerOf<Teller>(judging ? verdicts : [...ways, ...tellersOfFailures], step);
  // A trail may come from a later release with rules this one does not know.
  return teller?.say(told) ?? `Step ${step.kind} at the ${step.tier} tier, for reason ${step.reason}.`;
}

function labelOf(subject: Prediction | Tag, answer: Answer, flow: Flow | undefined): string {
  const known = flow?.labels[answer.label];
  if (known !== undefined) return known;
  const served = 'tier' in subject && !isOverruled(subject) ? subject.answers[subject.answers.length - 1] : undefined;
  // The record spells out only the served label; an earlier answer with the same index means the same.
  return served?.label === answer.label ? (subject as Prediction).label : `label ${answer.label}`;
}

/** The served label is not that of the last answer: its stop step names it. */
function isOverruled({ trail }: Prediction): boolean {
  const last = trail[trail.length - 1];
  return last?.kind === 'stop' && parseReason(last.reason).detail !== undefined;
}

function servedBy({ tier, model, version, label, confidence, harm, cost }: Prediction): Explanation['served'] {
  return { tier, model: `${model}@${version}`, label, confidence, harm, cost };
}

/** Costs are of time alone unless the flow says otherwise; then it should be known. */
function sayCosts({ costShares: shares }: Explanation): string {
  return `Costs are ${listed(shares.map(([dimension, share]) => `${percent(share)} ${dimension}`))}.`;
}

function sayFeature({ name, effect }: Contribution): string {
  return `${name} (${effect > 0 ? 'raises' : 'lowers'} it)`;
}
