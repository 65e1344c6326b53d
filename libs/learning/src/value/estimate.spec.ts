import { seededRandom } from '../simulation/index.ts';
import { EstimateSums, type Estimates } from './estimate.ts';

interface Place {
  readonly probability: number;
  readonly actual: number;
  readonly predicted: number;
}

/** What is hard about a log: the quantity and its prediction at each place in [0, 1). */
const worlds: readonly (readonly [string, (place: number) => Place])[] = [
  ['rare and audited evenly', (at) => ({ probability: 0.04, actual: at < 0.01 ? 1 : 0, predicted: 0.01 })],
  ['where audits are rarest', (at) => ({ probability: at < 0.5 ? 0.02 : 1, actual: at < 0.15 ? 1 : 0, predicted: 0.001 })],
  ['everywhere, and predicted nowhere', (at) => ({ probability: 0.02, actual: at < 0.9 ? 1 : 0, predicted: 2e-4 })],
  ['nowhere, and predicted everywhere', (at) => ({ probability: 0.05 + 0.4 * at, actual: 0, predicted: 0.6 })],
  ['no count but an amount', (at) => ({ probability: 0.02 + 0.1 * at, actual: at ** 4, predicted: 0.2 })],
];

const logs = 400;
const sizes = [500, 1000, 4000];

function estimatesOf(world: (place: number) => Place, size: number, seed: number): Estimates {
  const random = seededRandom(seed);
  const sums = new EstimateSums(1);
  for (let index = 0; index < size; index++) {
    const one = world(index / size);
    sums.add({ ...one, known: random.uniform() < one.probability });
  }
  return sums.estimates;
}

// Meant for 95 %; a share of 400 simulated logs scatters around that by 1.1 points (one standard error).
describe.each(worlds)('the interval of a loss that is %s', (_, world) => {
  it.each(sizes)('holds the truth in at least 93.5 %% of 400 logs of %i events', (size) => {
    let truth = 0;
    for (let index = 0; index < size; index++) truth += world(index / size).actual / size;
    const runs = Array.from({ length: logs }, (__, run) => estimatesOf(world, size, 7000 + run));
    for (const kind of ['ips', 'snips', 'dr'] as const) {
      const held = runs.filter(({ [kind]: { lower, upper } }) => lower <= truth && truth <= upper).length;
      expect([kind, held / logs >= 0.935, held / logs]).toEqual([kind, true, held / logs]);
    }
  });
});

describe('an interval', () => {
  it('is everything while nothing is known, and a point where everything is', () => {
    expect(new EstimateSums(1.3).estimates.dr).toEqual({ value: 0, lower: 0, upper: 1.3 });
    const { ips, snips, dr } = estimatesOf((at) => ({ probability: 1, actual: at < 0.25 ? 1 : 0, predicted: 0 }), 40_000, 1);
    for (const { value, lower, upper } of [ips, snips, dr]) {
      expect(value).toBe(0.25);
      expect(upper - lower).toBeLessThan(0.03);
    }
  });

  it('holds its estimate and narrows as the log grows', () => {
    const [few, many] = [1000, 16_000].map((size) => estimatesOf(worlds[0]![1], size, 3).dr);
    for (const { value, lower, upper } of [few!, many!]) expect(lower <= Math.max(0, value) && value <= upper).toBe(true);
    expect(many!.upper - many!.lower).toBeLessThan((few!.upper - few!.lower) / 2);
  });

  it('says of a loss that no audit has seen what the rule of three says, at the smallest probability', () => {
    const sums = new EstimateSums(1);
    for (let index = 0; index < 4000; index++) sums.add({ probability: 0.05, known: index % 20 === 0, actual: 0, predicted: 0 });
    const { lower, upper } = sums.estimates.ips;
    expect(lower).toBe(0);
    // 3 / (0.05 * 4000) = 1.5 % is 95 % on one side; ours is 97.5 %, whatever the truth may be.
    expect(upper).toBeGreaterThan(0.015);
    expect(upper).toBeLessThan(0.03);
  });
});
