import type { Answer, Head, PolicySnapshot, SparseRow } from '@sluice/domain';

/** Smallest harm a head may claim: with it no threshold above 1e-4 x heavy's cost is ever passed by overconfidence alone. */
export const harmFloor = 2e-4;

/** Harm assumed where no head of the right width exists: "we know nothing", which the stop rule answers with a heavier tier. */
export const priorHarm = 0.5;

/** Columns before the one-hot label: confidence, margin, entropy, logit of the confidence. */
const outputColumns = 4;

/** Confidences are clipped to [clip, 1 - clip] before the logit, so that a saturated softmax stays finite. */
const confidenceClip = 1e-4;

/** logit(0.99): divides the logit column so that it has about unit size. */
const logitScale = 4.6;

/** Number of columns a stop head sees after the signature's: what the tier answered. */
export function stopColumns(labels: number): number {
  return outputColumns + labels;
}

/** Number of weights of a head: the signature's columns, plus `stopColumns(labels)` for a head that judges after the tier ran. */
export function headWidth(signatureWidth: number, labels: number, stage: Head['stage']): number {
  return stage === 'route' ? signatureWidth : signatureWidth + stopColumns(labels);
}

/** Names of the stop columns, in order, for explanations. */
export function stopColumnNames(labels: readonly string[]): string[] {
  return ['confidence', 'margin', 'entropy', 'logit of confidence', ...labels.map((label) => `answer is ${label}`)];
}

/**
 * The row a head scores. Before the tier ran (`answer` undefined) that is the signature itself, not a copy; after it ran
 * the signature is followed by confidence, margin, entropy / ln(labels), logit(confidence) / 4.6 and the one-hot label.
 * Router, workers and learner all call this one function, so training and serving cannot drift apart.
 *
 * @param signatureWidth columns of the signature, present or not; the output columns start there.
 */
// eslint-disable-next-line max-params -- called for every answer and every example: an options object would be one object each
export function headRow(signature: SparseRow, answer: Answer | undefined, signatureWidth: number, labels: number): SparseRow {
  if (answer === undefined) return signature;
  const known = signature.indices.length;
  const labelled = answer.label >= 0 && answer.label < labels;
  const length = known + outputColumns + (labelled ? 1 : 0);
  const indices = new Uint16Array(length);
  const values = new Float32Array(length);
  indices.set(signature.indices);
  values.set(signature.values);
  for (let column = 0; column < outputColumns; column++) indices[known + column] = signatureWidth + column;
  values[known] = answer.confidence;
  values[known + 1] = answer.margin;
  values[known + 2] = answer.entropy / Math.log(Math.max(2, labels));
  values[known + 3] = logit(Math.min(1 - confidenceClip, Math.max(confidenceClip, answer.confidence))) / logitScale;
  if (labelled) {
    indices[length - 1] = signatureWidth + outputColumns + answer.label;
    values[length - 1] = 1;
  }
  return { indices, values };
}

/** Log-odds of harm: the dot product of weights and row. NaN when the row names a column the weights lack. */
export function headLogit(weights: Float32Array, row: SparseRow): number {
  const { indices, values } = row;
  let sum = 0;
  for (let i = 0; i < indices.length; i++) sum += weights[indices[i]!]! * values[i]!;
  return sum;
}

/**
 * Estimated probability in [2e-4, 1] that the head's tier errs where heavy is right.
 * A missing head, one that is too narrow for the row, and one with broken weights all give the prior 0.5. A head that is
 * too wide cannot be seen here: take heads from `headOf`, which compares the width exactly.
 */
export function scoreHead(head: Head | undefined, row: SparseRow): number {
  if (head === undefined) return priorHarm;
  const harm = sigmoid(headLogit(head.weights, row));
  return Number.isNaN(harm) ? priorHarm : Math.max(harmFloor, harm);
}

/** The policy's head for a tier and stage, or undefined when there is none of exactly this width (an old policy, a new flow). */
export function headOf(
  policy: PolicySnapshot,
  tier: string,
  shape: { readonly stage: Head['stage']; readonly width: number },
): Head | undefined {
  for (const head of policy.heads) {
    if (head.tier === tier && head.stage === shape.stage) return head.weights.length === shape.width ? head : undefined;
  }
  return undefined;
}

export function sigmoid(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

export function logit(probability: number): number {
  return Math.log(probability / (1 - probability));
}
