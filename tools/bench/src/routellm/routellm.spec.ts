import { parseCsv } from './csv.ts';
import { apgrOf, pointsOf } from './measure.ts';
import { learnRouter } from './router.ts';
import { signaturesOf } from './signatures.ts';
import { surfaceOf } from './surface.ts';

describe('parseCsv', () => {
  it('reads quoted fields with commas, line breaks and doubled quotes', () => {
    expect(parseCsv('a,b\r\n"1,\n""x""",2\n,\n')).toEqual([
      ['a', 'b'],
      ['1,\n"x"', '2'],
      ['', ''],
    ]);
    expect(parseCsv('a,b')).toEqual([['a', 'b']]);
  });

  it('refuses a quoted field that never ends', () => {
    expect(() => parseCsv('a,"b')).toThrow('never ends');
  });
});

describe('the figures of RouteLLM', () => {
  // Strong is always right, weak on the first half: by perfect scores half of the calls are enough for all of the gap.
  const routed = Array.from({ length: 1000 }, (_, at) => ({ score: at, weak: at < 500, strong: true }));
  const ends = { weak: 50, strong: 100 };

  it('are those of the line between the ends for a router that knows nothing', () => {
    const constant = [0, 100].map((share) => ({ share, accuracy: 50 + share / 2 }));
    expect(apgrOf(constant, ends)).toMatchObject({ apgr: 0.5, cpt50: 50, cpt80: 80 });
  });

  it('take half and four fifths of the gap at a quarter and two fifths of the calls for one that knows all', () => {
    const { apgr, cpt50, cpt80, points } = apgrOf(pointsOf(routed), ends);
    expect(points.map(({ share }) => share)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect([apgr, cpt50, cpt80]).toEqual([expect.closeTo(0.75, 10), expect.closeTo(25, 10), expect.closeTo(40, 10)]);
  });

  it('take a falling curve as its running maximum', () => {
    const points = [
      { share: 0, accuracy: 50 },
      { share: 20, accuracy: 80 },
      { share: 50, accuracy: 60 },
      { share: 100, accuracy: 100 },
    ];
    expect(apgrOf(points, ends).cpt80).toBeCloseTo(75, 10);
  });
});

it('the form of a prompt is read from its stem and options, also where there are none', () => {
  expect(surfaceOf('How many?\nA. 1\nB. 22\nAnswer:')).toMatchObject({ numericOptions: 1, uneven: 0.5, longest: 2, stem: 9 });
  expect(surfaceOf('Tell me.')).toMatchObject({ numericOptions: 0, options: 0 });
});

it('each prompt keeps a signature of its own: the same whatever was read after it', () => {
  const prompts = ['Which planet is the largest?', 'Name a prime number.', 'Who wrote Hamlet?'].map((text) => ({
    text,
    weak: true,
    strong: true,
  }));
  const together = signaturesOf(prompts).rows;
  const alone = prompts.map((prompt) => signaturesOf([prompt]).rows[0]);
  expect(together).toEqual(alone);
  expect(together[0]!.indices).not.toEqual(together[1]!.indices);
});

it('the router expects a gain where the examples had one, a loss where they had one, by words that tell', () => {
  const rowOf = (word: number) => ({ indices: Uint16Array.of(0, word), values: Float32Array.of(1, 1) });
  // Word 1: only weak is right; word 2: both; word 3: only strong.
  const examples = Array.from({ length: 90 }, (_, at) => ({ row: rowOf(1 + (at % 3)), weak: at % 3 < 2, strong: at % 3 > 0 }));
  const score = learnRouter(examples, { width: 4, firstWord: 1 });
  expect(score(rowOf(1))).toBeLessThan(-0.5);
  expect(Math.abs(score(rowOf(2)))).toBeLessThan(0.2);
  expect(score(rowOf(3))).toBeGreaterThan(0.5);
});
