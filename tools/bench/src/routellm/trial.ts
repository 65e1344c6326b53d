import { OnlineHead, seededRandom, shuffled } from '@sluice/learning/simulation';
import type { Prompt } from './data.ts';
import { apgrOf, pointsOf, type Apgr, type Point } from './measure.ts';
import type { Signatures } from './signatures.ts';

/** Times the labelled prompts are gone through. */
const passes = 4;

export interface TrialSpec {
  readonly prompts: readonly Prompt[];
  readonly signatures: Signatures;
  readonly labels: number;
  readonly seed: number;
}

/** Two heads, P(strong is right) and P(weak is right), learned from `labels` prompts drawn at random; their difference ranks all others. */
export function trial({ prompts, signatures: { width, rows }, labels, seed }: TrialSpec): Apgr {
  const order = shuffled(
    prompts.map((_, index) => index),
    seededRandom(seed),
  );
  const [train, test] = [order.slice(0, labels), order.slice(labels)];
  const headOf = (isRight: (prompt: Prompt) => boolean): OnlineHead => {
    const head = OnlineHead.create(width);
    for (let pass = 0; pass < passes; pass++) for (const at of train) head.learn(rows[at]!, isRight(prompts[at]!) ? 1 : 0, 1);
    return head;
  };
  const strong = headOf((prompt) => prompt.strong);
  const weak = headOf((prompt) => prompt.weak);
  const routed = test.map((at) => ({ ...prompts[at]!, score: strong.predict(rows[at]!) - weak.predict(rows[at]!) }));
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
