import type { SparseRow } from '@sluice/domain';
import { OnlineHead } from '@sluice/learning/simulation';
import type { Signatures } from './signatures.ts';

/** A labelled prompt: its row, and whether each model answered it rightly. */
export interface Example {
  readonly row: SparseRow;
  readonly weak: boolean;
  readonly strong: boolean;
}

/** How the heads learn: what is chosen by cross-validation. */
interface Setting {
  /**
   * Length of the bag of words in a row whose other columns lie in [0, 1]. AdaGrad is blind to the scale of a column but its steps move a score by
   * it: shorter, so that a thousand rare words do not outshout what every prompt has.
   */
  readonly wordScale: number;
  /** Times the examples are gone through. */
  readonly passes: number;
}

const menu: readonly Setting[] = [0.1, 0.3, 1].flatMap((wordScale) => [1, 2, 4].map((passes) => ({ wordScale, passes })));
const folds = 5;

export type Shape = Pick<Signatures, 'width' | 'firstWord'>;

/** How much the strong model is expected to gain on a prompt. */
export type Score = (row: SparseRow) => number;

/**
 * Two heads, P(strong is right) and P(weak is right); their difference is the expected gain. They learn by the setting of the
 * menu that foretells the gain best (squared error) where each fifth of the examples is foretold by the others.
 */
export function learnRouter(examples: readonly Example[], shape: Shape): Score {
  const errors = menu.map((setting) => crossError(examples, setting, shape));
  return learn(examples, menu[errors.indexOf(Math.min(...errors))]!, shape);
}

function crossError(examples: readonly Example[], setting: Setting, shape: Shape): number {
  let sum = 0;
  for (let fold = 0; fold < folds; fold++) {
    const others = examples.filter((_, at) => at % folds !== fold);
    const score = learn(others, setting, shape);
    for (let at = fold; at < examples.length; at += folds) {
      const { row, weak, strong } = examples[at]!;
      sum += (Number(strong) - Number(weak) - score(row)) ** 2;
    }
  }
  return sum;
}

function learn(examples: readonly Example[], { wordScale, passes }: Setting, { width, firstWord }: Shape): Score {
  const scaled = ({ indices, values }: SparseRow): SparseRow => ({
    indices,
    values: values.map((value, i) => (indices[i]! < firstWord ? value : value * wordScale)),
  });
  const rows = examples.map(({ row }) => scaled(row));
  const headOf = (isRight: (example: Example) => boolean): OnlineHead => {
    const head = OnlineHead.create(width);
    for (let pass = 0; pass < passes; pass++) examples.forEach((example, at) => head.learn(rows[at]!, isRight(example) ? 1 : 0, 1));
    return head;
  };
  const strong = headOf((example) => example.strong);
  const weak = headOf((example) => example.weak);
  return (row) => {
    const seen = scaled(row);
    return strong.predict(seen) - weak.predict(seen);
  };
}
