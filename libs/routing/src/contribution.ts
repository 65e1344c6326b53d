import type { PolicySnapshot, Prediction, Tag } from '@sluice/domain';
import { headOf, headRow, headWidth, stopColumnNames } from './heads.ts';
import type { ExplainContext } from './telling.ts';

/** How far one column moved an estimate of harm, in log-odds; positive means more harm. */
export interface Contribution {
  readonly name: string;
  readonly effect: number;
}

const shown = 3;

/**
 * The columns that moved the last estimate of harm most: weight x value under the head that made it. Empty unless the policy is
 * the very version that decided, its head has the right width, and the columns have names.
 */
export function heaviestFeatures(subject: Prediction | Tag, { policy, flow, signatureNames }: ExplainContext): Contribution[] {
  const labels = flow?.labels;
  const step = subject.trail.findLast((one) => one.harm > 0);
  if (step === undefined || policy === undefined || labels === undefined || signatureNames === undefined) return [];
  if (policy.version !== step.policyVersion) return [];
  const stage = step.kind === 'stop' || step.kind === 'escalate' ? 'stop' : 'route';
  const answer = stage === 'stop' ? subject.answers.find((one) => one.tier === step.tier) : undefined;
  const head = headOf(policy, step.tier, { stage, width: headWidth(signatureNames.length, labels.length, stage) });
  if (head === undefined) return [];
  const row = headRow(subject.signature, answer, signatureNames.length, labels.length);
  return largest(row, head.weights, [...signatureNames, ...stopColumnNames(labels)]);
}

type Row = ReturnType<typeof headRow>;

function largest({ indices, values }: Row, weights: PolicySnapshot['heads'][number]['weights'], names: readonly string[]): Contribution[] {
  const all = Array.from(indices, (column, at) => ({ name: names[column] ?? `column ${column}`, effect: weights[column]! * values[at]! }));
  return all
    .filter(({ effect, name }) => effect !== 0 && name !== 'bias')
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
    .slice(0, shown);
}
