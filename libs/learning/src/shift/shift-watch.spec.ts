import type { SparseRow } from '@sluice/domain';
import { seededRandom, type Random } from '../simulation/index.ts';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { ShiftWatch } from './shift-watch.ts';

const width = 40;
const events = 2256;

function rowOf(columns: ReadonlyMap<number, number>): SparseRow {
  const indices = [...columns.keys()].sort((a, b) => a - b);
  return { indices: Uint16Array.from(indices), values: Float32Array.from(indices, (column) => columns.get(column)!) };
}

/** Requests with a size, a flag that is rarely set, and hashed words, the first few of them frequent. */
function asked(random: Random, { size = 0, flag = 0.02, words = 2 } = {}): SparseRow {
  const columns = new Map([
    [0, 1],
    [1, random.uniform() < flag ? 1 : 0],
    [3, size + random.normal()],
    [4, 100 * random.uniform()],
  ]);
  for (let word = 0; word < 5; word++) columns.set(8 + Math.floor(32 * random.uniform() ** words), 0.45);
  return rowOf(columns);
}

const still: [string, (random: Random) => SparseRow][] = [
  ['of requests', (random) => asked(random)],
  ['of one number', (random) => rowOf(new Map([[1, random.uniform()]]))],
];

function alarmsOf(watch: ShiftWatch, rows: Iterable<SparseRow>): number {
  let alarms = 0;
  for (const row of rows) if (watch.observe(row)) alarms++;
  return alarms;
}

function* many(count: number, make: () => SparseRow): Generator<SparseRow> {
  for (let at = 0; at < count; at++) yield make();
}

describe('where nothing changes', () => {
  // A bound that is easily reached shows whether it holds: with evidence of 300 a third of the streams of 100 pairs may raise an alarm.
  const options = { alarmAt: Math.log(300), lag: 20 };
  const pairs = 100;

  it.each(still)('1,000 streams %s raise no more false alarms than the bound allows', (_, make) => {
    let alarms = 0;
    for (let seed = 1; seed <= 1000; seed++) {
      const random = seededRandom(seed);
      alarms += alarmsOf(
        new ShiftWatch(width, options),
        many(256 + 2 * (options.lag + pairs), () => make(random)),
      );
    }
    expect(alarms).toBeLessThanOrEqual((1000 * pairs) / 1000);
  });

  it('requests that are all alike raise none', () => {
    const alike = rowOf(new Map([[0, 1]]));
    expect(
      alarmsOf(
        new ShiftWatch(width),
        many(10 * events, () => alike),
      ),
    ).toBe(0);
  });

  it('the load of the system is no change', () => {
    const random = seededRandom(1);
    const watch = new ShiftWatch(width);
    alarmsOf(
      watch,
      many(events, () => asked(random)),
    );
    const loaded = (): SparseRow => {
      const { indices, values } = asked(random);
      return { indices, values: values.map((value, at) => (indices[at] === 4 ? value + 500 : value)) };
    };
    expect(alarmsOf(watch, many(events, loaded))).toBe(0);
  });
});

describe('where the requests change', () => {
  it.each([
    ['grow', { size: 0.7 }],
    ['lack a field more often', { flag: 0.15 }],
    ['use other words', { words: 1 }],
  ])('because they %s an alarm follows within 900 events in nine of ten streams, and but one', (_, changed) => {
    let [found, repeated] = [0, 0];
    for (let seed = 1; seed <= 10; seed++) {
      const random = seededRandom(seed);
      const watch = new ShiftWatch(width);
      alarmsOf(
        watch,
        many(2 * events, () => asked(random)),
      );
      if (
        alarmsOf(
          watch,
          many(900, () => asked(random, changed)),
        ) === 1
      )
        found++;
      repeated += alarmsOf(
        watch,
        many(events, () => asked(random, changed)),
      );
    }
    expect(found).toBeGreaterThanOrEqual(9);
    expect(repeated).toBeLessThanOrEqual(10 - found);
  });
});

it('a watch goes on bit for bit from its bytes, while its bins are set and later', () => {
  const bytesOf = (watch: ShiftWatch): Uint8Array => {
    const to = new ByteWriter();
    watch.write(to);
    return to.done();
  };
  for (const cut of [100, 1500]) {
    const rows = [
      ...many(
        events,
        (
          (random) => () =>
            asked(random)
        )(seededRandom(cut)),
      ),
    ];
    const whole = new ShiftWatch(width);
    alarmsOf(whole, rows);
    const first = new ShiftWatch(width);
    alarmsOf(first, rows.slice(0, cut));
    const second = new ShiftWatch(width);
    second.read(new ByteReader(bytesOf(first)));
    alarmsOf(second, rows.slice(cut));
    expect(bytesOf(second)).toEqual(bytesOf(whole));
  }
});
