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
 * the signature is followed by the columns of `outputRow`.
 * Router, workers and learner all score these columns in this order, so training and serving cannot drift apart.
 *
 * @param signatureWidth columns of the signature, present or not; the output columns start there.
 */
// eslint-disable-next-line max-params -- called for every example: an options object would be one object each
export function headRow(signature: SparseRow, answer: Answer | undefined, signatureWidth: number, labels: number): SparseRow {
  return answer === undefined ? signature : joined(signature, outputRow(answer, signatureWidth, labels));
}

/** One row after another, in memory of its own. */
export function joined(one: SparseRow, other: SparseRow): SparseRow {
  const known = one.indices.length;
  const row = emptyRow(known + other.indices.length);
  row.indices.set(one.indices);
  row.values.set(one.values);
  row.indices.set(other.indices, known);
  row.values.set(other.values, known);
  return row;
}

/** A row of `length` columns, to be filled. */
export function emptyRow(length: number): SparseRow {
  return { indices: new Uint16Array(length), values: new Float32Array(length) };
}

/** Filled for each answer. */
const unlabelled = emptyRow(outputColumns);
const labelled = emptyRow(outputColumns + 1);

/**
 * What a stop head sees after the signature: confidence, margin, entropy / ln(labels), logit(confidence) / 4.6 and the one-hot label, which is left
 * out where the flow has no such label. Holds until the next call.
 */
export function outputRow({ label, confidence, margin, entropy }: Answer, signatureWidth: number, labels: number): SparseRow {
  const row = label >= 0 && label < labels ? labelled : unlabelled;
  const { indices, values } = row;
  for (let column = 0; column < outputColumns; column++) indices[column] = signatureWidth + column;
  values[0] = confidence;
  values[1] = margin;
  values[2] = entropy / Math.log(Math.max(2, labels));
  values[3] = logit(Math.min(1 - confidenceClip, Math.max(confidenceClip, confidence))) / logitScale;
  if (row === labelled) {
    indices[outputColumns] = signatureWidth + outputColumns + label;
    values[outputColumns] = 1;
  }
  return row;
}

/**
 * Log-odds of harm: the dot product of weights and row. NaN when the row names a column the weights lack.
 * @param before log-odds of the columns before the row's: two rows, one after the other, give bit for bit what they give joined.
 */
export function headLogit(weights: Float32Array, { indices, values }: SparseRow, before = 0): number {
  let sum = before;
  for (let i = 0; i < indices.length; i++) sum += weights[indices[i]!]! * values[i]!;
  return sum;
}

/**
 * Estimated probability in [2e-4, 1] that the head's tier errs where heavy is right.
 * A missing head, one that is too narrow for the row, and one with broken weights all give the prior 0.5. A head that is
 * too wide cannot be seen here: take heads from `headOf`, which compares the width exactly.
 * @param output the columns after the row's, for a stop head.
 */
export function scoreHead(head: Head | undefined, row: SparseRow, output?: SparseRow): number {
  if (head === undefined) return priorHarm;
  const before = headLogit(head.weights, row);
  const harm = sigmoid(output === undefined ? before : headLogit(head.weights, output, before));
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
