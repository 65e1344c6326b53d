import { seededRandom } from '@sluice/learning/simulation';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { accuracyAt, costAt, curveOf } from './curve.ts';
import { contestOf, policyOf } from './contest.ts';
import { readFrugalmlSet, setsIn } from './data-set.ts';

const events = 4000;
let root: string;

/** Two services that know different things, in a folder that no code names. */
function write(change: (column: string, values: number[]) => number[] = (_, values) => values): void {
  const random = seededRandom(1);
  const folder = join(root, 'NEW');
  mkdirSync(folder, { recursive: true });
  const column = (name: string, values: number[]): void =>
    writeFileSync(join(folder, `${name}.txt.gz`), gzipSync(change(name, values).join('\n') + '\n'));
  const truths = Array.from({ length: events }, () => random.below(3));
  column('TrueLabel', truths);
  for (const [id, skill] of [0.6, 0.8].entries()) {
    const easy = truths.map(() => random.uniform());
    column(
      `Model${id}_PredictedLabel`,
      truths.map((truth, at) => (easy[at]! < skill ? truth : (truth + 1) % 3)),
    );
    column(
      `Model${id}_Confidence`,
      easy.map((one) => (one < skill ? 0.9 : 0.4) + 0.1 * random.uniform()),
    );
  }
  writeFileSync(join(folder, 'meta.csv'), 'Index,API,Cost,labels\n0,cheap,1,3\n1,dear,10,3\n');
}

beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'sluice-bench-'))));
afterEach(() => rmSync(root, { recursive: true }));

describe('a set in a folder of any name', () => {
  it('is served at the best service’s accuracy for less than it costs', () => {
    write();
    expect(setsIn(root)).toEqual(['NEW']);
    const contest = contestOf(readFrugalmlSet(root, 'NEW')!, 1);
    const right = contest.test.filter(({ answers, truth }) => answers[1]!.label === truth).length / contest.test.length;
    const curve = curveOf(contest.serving, policyOf(contest), contest.test.slice(0, 500));
    expect(costAt(curve, right)).toBeLessThan(5);
    expect(accuracyAt(curve, 10)).toBeGreaterThan(right);
  });

  it.each<[string, (column: string, values: number[]) => number[], string]>([
    [
      'a column too short',
      (column, values) => (column === 'Model1_Confidence' ? values.slice(1) : values),
      'have not the length of the truth',
    ],
    [
      'a confidence above 1',
      (column, values) => (column === 'Model1_Confidence' ? [2, ...values.slice(1)] : values),
      'not between 0 and 1',
    ],
    ['a label that is none', (column, values) => (column === 'TrueLabel' ? [0.5, ...values.slice(1)] : values), '0.5 is no label'],
    ['too few events', (_, values) => values.slice(0, 50), 'at least 2 and 100'],
  ])('is refused with %s', (_, change, message) => {
    write(change);
    expect(() => readFrugalmlSet(root, 'NEW')).toThrow(message);
  });
});

it('the cost at an accuracy lies on the line between two points, or nowhere', () => {
  const points = [
    { threshold: 1, cost: 1, accuracy: 0.5 },
    { threshold: 0.1, cost: 3, accuracy: 0.7 },
  ];
  expect([0.4, 0.6, 0.8].map((accuracy) => costAt(points, accuracy))).toEqual([1, expect.closeTo(2, 10), Infinity]);
  expect([0.5, 2, 4].map((cost) => accuracyAt(points, cost))).toEqual([0, 0.5, 0.7]);
});
