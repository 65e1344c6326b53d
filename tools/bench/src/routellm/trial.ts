import { seededRandom, shuffled } from '@sluice/learning/simulation';
import type { Prompt } from './data.ts';
import { apgrOf, pointsOf, type Apgr, type Point } from './measure.ts';
import { learnRouter } from './router.ts';
import type { Signatures } from './signatures.ts';

export interface TrialSpec {
  readonly prompts: readonly Prompt[];
  readonly signatures: Signatures;
  readonly labels: number;
  readonly seed: number;
}

/** The router learns from `labels` prompts drawn at random, hyper-parameters and all; its score ranks all others. */
export function trial({ prompts, signatures, labels, seed }: TrialSpec): Apgr {
  const examples = prompts.map((prompt, at) => ({ ...prompt, row: signatures.rows[at]! }));
  const drawn = shuffled(examples, seededRandom(seed));
  const score = learnRouter(drawn.slice(0, labels), signatures);
  const routed = drawn.slice(labels).map((example) => ({ ...example, score: score(example.row) }));
  return apgrOf(pointsOf(routed), accuraciesOf(routed));
}

/** Their random router: 10 runs with scores drawn at random, points averaged by share. */
export function randomTrial(prompts: readonly Prompt[], seed: number): Apgr {
  const random = seededRandom(seed);
  const runs = Array.from({ length: 10 }, () => pointsOf(prompts.map((prompt) => ({ ...prompt, score: random.uniform() }))));
  const points = runs[0]!.map((point, at): Point => {
    const accuracy = runs.reduce((sum, run) => sum + run[at]!.accuracy, 0) / runs.length;
    return { share: point.share, accuracy };
  });
  return apgrOf(points, accuraciesOf(prompts));
}

export function accuraciesOf(prompts: readonly Prompt[]): { readonly weak: number; readonly strong: number } {
  const share = (isRight: (prompt: Prompt) => boolean): number => (100 * prompts.filter(isRight).length) / prompts.length;
  return { weak: share(({ weak }) => weak), strong: share(({ strong }) => strong) };
}
