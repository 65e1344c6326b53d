import type { Answer } from '@sluice/domain';

/** Whose answers these are. */
export type AnswerOf = Pick<Answer, 'tier' | 'model' | 'version'>;

/**
 * The answer that one row of softmax outputs gives; the first of equal outputs wins.
 * @returns a sentence saying what is wrong when the row is no distribution over the labels.
 */
export function readAnswer(scores: Float32Array, at: number, whose: AnswerOf & { readonly labels: number }): Answer | string {
  let label = 0;
  let best = -1;
  let second = -1;
  let sum = 0;
  let entropy = 0;
  for (let i = 0; i < whose.labels; i++) {
    const score = scores[at + i] ?? Number.NaN;
    if (!(score >= 0)) return `output ${i} is ${score}`;
    sum += score;
    if (score > 0) entropy -= score * Math.log(score);
    if (score > best) {
      second = best;
      best = score;
      label = i;
    } else if (score > second) second = score;
  }
  if (!(Math.abs(sum - 1) <= 1e-3)) return `the outputs add up to ${sum}, not 1`;
  const { tier, model, version } = whose;
  return { tier, model, version, label, confidence: Math.min(1, best), margin: best - second, entropy: Math.max(0, entropy) };
}
