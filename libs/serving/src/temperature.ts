/** Labelled outputs of a model: rows of probabilities, one after the other, and the true label of each. */
export interface LabelledScores {
  readonly scores: Float32Array;
  readonly truths: readonly number[];
  readonly labels: number;
}

/** Where the search for a temperature looks. */
const coldest = 0.05;
const warmest = 20;

/**
 * Divides the logits behind rows of probabilities by `temperature`, in place: p^(1/T), made to add up to 1 again (Guo et al.,
 * On Calibration of Modern Neural Networks, 2017). The order within a row stays. Rows of zeros, which stand for failures, stay too.
 */
export function soften(scores: Float32Array, labels: number, temperature: number): void {
  if (temperature === 1) return;
  for (let row = 0; row + labels <= scores.length; row += labels) {
    let sum = 0;
    for (let i = row; i < row + labels; i++) sum += scores[i] = scores[i]! ** (1 / temperature);
    if (sum > 0) for (let i = row; i < row + labels; i++) scores[i]! /= sum;
  }
}

/** Mean negative log-likelihood of the true labels, in nats, at a temperature. A probability of 0 counts as 1e-7. */
export function logLoss({ scores, truths, labels }: LabelledScores, temperature: number): number {
  const softened = scores.slice();
  soften(softened, labels, temperature);
  return truths.reduce((sum, truth, row) => sum - Math.log(Math.max(1e-7, softened[row * labels + truth]!)), 0) / truths.length;
}

/** The temperature with the least log-loss: golden-section search over its logarithm, in which the loss has one minimum. */
export function fitTemperature(labelled: LabelledScores): number {
  const section = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(coldest), Math.log(warmest)];
  while (high - low > 1e-3) {
    const [left, right] = [high - section * (high - low), low + section * (high - low)];
    if (logLoss(labelled, Math.exp(left)) < logLoss(labelled, Math.exp(right))) high = right;
    else low = left;
  }
  return Math.exp((low + high) / 2);
}
