import { SluiceError, type Answer } from '@sluice/domain';
import fc from 'fast-check';
import { BatchCost, type BatchFit } from './batch-cost.ts';
import { Batcher, held, patience } from './batcher.ts';
import type { Lane, Outcome } from './lane.ts';
import type { Batch, InferValue, Urgency } from './row-queue.ts';

const whose = { tier: 'fast', model: 'm', version: '1.0.0', labels: 256 };
/** What a fake model does with a row; the row's number is its label. */
type Fate = 'good' | 'undecodable' | 'nan' | 'throws' | 'hangs';

/** A lane that does what the rows say, and remembers the batches it was given. */
class FakeLane implements Lane {
  readonly batches: Batch[] = [];
  readonly #fates: readonly Fate[];
  readonly #turns: () => number;
  micros = (n: number): number => 10 + n;
  onBatch: (batch: Batch) => void = () => undefined;
  running = 0;
  mostRunning = 0;

  constructor(fates: readonly Fate[], turns: () => number) {
    this.#fates = fates;
    this.#turns = turns;
  }

  async run(batch: Batch): Promise<Outcome> {
    this.batches.push(batch);
    this.onBatch(batch);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    for (let turns = this.#turns(); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    this.running -= 1;
    const ids = idsOf(batch);
    const fates = ids.map((id) => this.#fates[id] ?? 'good');
    if (fates.includes('hangs')) return { kind: 'lost', message: 'hung' };
    if (fates.includes('throws')) return { kind: 'threw', message: 'thrown' };
    const scores = new Float32Array(ids.length * whose.labels);
    ids.forEach((id, row) => (scores[row * whose.labels + (id % 256)] = fates[row] === 'nan' ? Number.NaN : 1));
    const failures = fates.flatMap((fate, row) =>
      fate === 'undecodable' ? [{ row, code: 'SLUICE_AVRO_TRUNCATED' as const, message: `row ${ids[row]}` }] : [],
    );
    return { kind: 'scores', scores, failures, micros: this.micros(ids.length) };
  }
}

function idsOf({ spans }: Batch): number[] {
  return spans.flatMap(({ request, from, to }) => request.values.slice(from, to).map(({ value }) => value.readInt32LE()));
}

/** A call as it came: its rows and the time. */
interface Arrival {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** By how much, at most, a call came later than one that still had rows waiting when it was taken. */
function overtaken(arrivals: readonly Arrival[], order: readonly { readonly batch: Batch }[]): number {
  const left = new Map(arrivals.filter(({ from, to }) => to > from).map((arrival) => [arrival, arrival.to - arrival.from]));
  let most = 0;
  for (const { batch } of order.filter(({ batch: { alone } }) => !alone)) {
    for (const id of idsOf(batch)) {
      const taken = arrivals.find(({ from, to }) => id >= from && id < to)!;
      for (const [waiting, rows] of left) if (rows > 0) most = Math.max(most, taken.at - waiting.at);
      left.set(taken, left.get(taken)! - 1);
    }
  }
  return most;
}

function values(from: number, n: number): InferValue[] {
  return Array.from({ length: n }, (_, i) => {
    const value = Buffer.alloc(4);
    value.writeInt32LE(from + i);
    return { value, schema: 0, start: 0 };
  });
}

function summary(result: Answer | SluiceError): number | string {
  return result instanceof SluiceError ? result.code : result.label;
}

const expected: Record<Fate, (id: number) => number | string> = {
  good: (id) => id % 256,
  undecodable: () => 'SLUICE_AVRO_TRUNCATED',
  nan: () => 'SLUICE_MODEL_FAILED',
  throws: () => 'SLUICE_MODEL_FAILED',
  hangs: () => 'SLUICE_MODEL_LOST',
};

describe('the batcher', () => {
  it('gives every row its own answer, whatever arrives when and whatever fails', async () => {
    const fate = fc.oneof(
      { weight: 20, arbitrary: fc.constant<Fate>('good') },
      { weight: 1, arbitrary: fc.constantFrom<Fate>('undecodable', 'nan', 'throws') },
    );
    const call = fc.record({
      rows: fc.integer({ min: 0, max: 300 }),
      pause: fc.integer({ min: 0, max: 3 }),
      urgency: fc.record(
        { timeLeft: fc.integer({ min: -500, max: 3 * patience }), priority: fc.integer({ min: 0, max: 9 }) },
        { requiredKeys: [] },
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { minLength: 1, maxLength: 12 }),
        fc.array(fate, { minLength: 400, maxLength: 400 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 128 }),
        async (calls, fates, laneCount, maxBatch) => {
          let turn = 0;
          let now = 0;
          const order: { batch: Batch; now: number }[] = [];
          const lanes = Array.from({ length: laneCount }, () => new FakeLane(fates, () => (turn = (turn * 7 + 3) % 5)));
          for (const lane of lanes) lane.onBatch = (batch) => order.push({ batch, now: (now += 100) });
          const batcher = new Batcher({ lanes, cost: new BatchCost(), maxBatch, whose, now: () => now });
          let id = 0;
          const pending: Promise<void>[] = [];
          const arrivals: Arrival[] = [];
          for (const { rows, pause, urgency } of calls) {
            const from = id;
            id += rows;
            arrivals.push({ from, to: id, at: now });
            const wanted = Array.from({ length: rows }, (_, i) => expected[fates[from + i] ?? 'good'](from + i));
            pending.push(
              batcher.infer(values(from, rows), urgency as Urgency).then((results) => expect(results.map(summary)).toEqual(wanted)),
            );
            for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve));
          }
          await Promise.all(pending);
          expect(batcher.queued).toBe(0);
          expect(overtaken(arrivals, order)).toBeLessThanOrEqual(patience);
          const first = order.filter(({ batch }) => !batch.alone).flatMap(({ batch }) => idsOf(batch));
          expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: id }, (_, i) => i));
          for (const lane of lanes) {
            expect(lane.mostRunning).toBeLessThanOrEqual(held.batches);
            expect(Math.max(0, ...lane.batches.map((batch) => batch.n))).toBeLessThanOrEqual(maxBatch);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds the one row that hangs, and serves its neighbours', async () => {
    const fates: Fate[] = [];
    fates[5] = 'hangs';
    const lane = new FakeLane(fates, () => 1);
    const results = await new Batcher({ lanes: [lane], cost: new BatchCost(), maxBatch: 128, whose }).infer(values(0, 10));
    expect(results.map(summary)).toEqual([0, 1, 2, 3, 4, 'SLUICE_MODEL_LOST', 6, 7, 8, 9]);
  });

  it('gives up on a model that only hangs after a few threads, not after one for every row', async () => {
    const lane = new FakeLane(new Array<Fate>(128).fill('hangs'), () => 1);
    const results = await new Batcher({ lanes: [lane], cost: new BatchCost(), maxBatch: 128, whose }).infer(values(0, 128));
    expect(new Set(results.map(summary))).toEqual(new Set(['SLUICE_MODEL_LOST']));
    expect(lane.batches.length).toBeLessThanOrEqual(6);
  });

  it('merges calls of the same turn, first in first out', async () => {
    const lane = new FakeLane([], () => 1);
    const batcher = new Batcher({ lanes: [lane], cost: new BatchCost(), maxBatch: 128, whose });
    await Promise.all([batcher.infer(values(0, 3)), batcher.infer(values(3, 1)), batcher.infer(values(4, 5))]);
    expect(lane.batches.map((batch) => batch.n)).toEqual([9]);
  });

  it('lets rows wait behind a busy lane until they fill a batch or the lane is idle', async () => {
    const lane = new FakeLane([], () => 5);
    const batcher = new Batcher({ lanes: [lane], cost: new BatchCost(), maxBatch: 8, whose });
    const first = batcher.infer(values(0, 1));
    await new Promise((resolve) => setImmediate(resolve));
    const others = [batcher.infer(values(1, 3)), batcher.infer(values(4, 8))];
    await Promise.all([first, ...others]);
    expect(lane.batches.map((batch) => batch.n)).toEqual([1, 8, 3]);
  });

  describe('behind a busy lane', () => {
    const micros = (n: number): number => 10_000 + 1000 * n;
    /** Batches as the first ids of their calls' rows, after one row has made the lane busy. */
    async function batchesOf(calls: readonly (Urgency & { readonly rows: number })[]): Promise<number[][]> {
      let now = 0;
      const lane = Object.assign(new FakeLane([], () => 3), { micros });
      const cost = new BatchCost([1, 128].map((n) => ({ n, micros: micros(n) })));
      const batcher = new Batcher({ lanes: [lane], cost, maxBatch: 128, whose, now: () => now });
      const pending = [batcher.infer(values(0, 1))];
      await new Promise((resolve) => setImmediate(resolve));
      for (const [i, { rows, ...urgency }] of calls.entries()) {
        now += 10;
        pending.push(batcher.infer(values(1000 * (i + 1), rows), urgency));
      }
      await Promise.all(pending);
      return lane.batches.slice(1).map((batch) => batch.spans.map(({ request }) => request.values[0]!.value.readInt32LE() / 1000));
    }

    it('takes calls by deadline, then by priority, then as they came', async () => {
      const calls = [{ rows: 2 }, { rows: 2, priority: 1 }, { rows: 2, priority: 9 }, { rows: 2, timeLeft: 40 }, { rows: 2 }];
      expect(await batchesOf(calls)).toEqual([[4, 3, 2, 1, 5]]);
    });

    it('takes late calls as they came, before those that can wait', async () => {
      const calls = [
        { rows: 2, timeLeft: 5000 },
        { rows: 2, timeLeft: -5 },
        { rows: 2, timeLeft: -500 },
      ];
      expect(await batchesOf(calls)).toEqual([[2, 3, 1]]);
    });

    it('fills a batch behind a call that is in time only as far as it stays so', async () => {
      // 10 ms and 1 ms a row: 40 ms are enough for 30 rows, those that the lane holds already set aside.
      const calls = [{ rows: 60 }, { rows: 10, timeLeft: 40 }];
      expect(await batchesOf(calls)).toEqual([[2, 1], [1]]);
    });

    it('holds nothing up for a call that is late anyway', async () => {
      const calls = [{ rows: 60 }, { rows: 10, timeLeft: 15 }];
      expect(await batchesOf(calls)).toEqual([[2, 1]]);
    });
  });

  it('shares what waits among idle lanes once the fixed part of a batch is small against its rows', async () => {
    const cost = new BatchCost([
      { n: 1, micros: 1100 },
      { n: 128, micros: 128_100 },
    ]);
    const lanes = [new FakeLane([], () => 3), new FakeLane([], () => 3)];
    await new Batcher({ lanes, cost, maxBatch: 128, whose }).infer(values(0, 4));
    expect(lanes.map((lane) => lane.batches.map((batch) => batch.n))).toEqual([[2], [2]]);
  });

  it.each([
    { micros: 300, most: 2 },
    { micros: 120, most: 4 },
    { micros: 10, most: held.batches },
  ])(
    'hands a busy lane up to $most full batches of $micros microseconds: waking its thread takes longer than they do',
    async ({ micros, most }) => {
      const lane = new FakeLane([], () => 3);
      lane.micros = () => micros;
      const cost = new BatchCost([8, 16].map((n) => ({ n, micros })));
      await new Batcher({ lanes: [lane], cost, maxBatch: 8, whose }).infer(values(0, 200));
      expect(lane.mostRunning).toBe(most);
    },
  );

  it('tells the fit after every 32 batches', async () => {
    const fits: BatchFit[] = [];
    const batcher = new Batcher({
      lanes: [new FakeLane([], () => 0)],
      cost: new BatchCost(),
      maxBatch: 8,
      whose,
      onFit: (fit) => fits.push(fit),
    });
    for (let i = 0; i < 40; i++) await batcher.infer(values(0, 1 + (i % 8)));
    expect(fits).toHaveLength(1);
    expect(fits[0]!.base).toBeCloseTo(10, 0);
    expect(fits[0]!.perRow).toBeCloseTo(1, 1);
  });

  it('answers what it took before it closes, and takes no more', async () => {
    const batcher = new Batcher({ lanes: [new FakeLane([], () => 3)], cost: new BatchCost(), maxBatch: 4, whose });
    const pending = batcher.infer(values(0, 20));
    const closed = batcher.close();
    await expect(batcher.infer(values(0, 1))).rejects.toMatchObject({ code: 'SLUICE_CLOSED' });
    await closed;
    expect((await pending).map(summary)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('rejects calls instead of answering them when no lane can run any more, so that nothing is committed', async () => {
    const lane: Lane = { run: () => Promise.reject(new SluiceError('SLUICE_MODEL_INVALID', 'the folder is gone')) };
    const batcher = new Batcher({ lanes: [lane], cost: new BatchCost(), maxBatch: 2, whose });
    await expect(batcher.infer(values(0, 9))).rejects.toMatchObject({ code: 'SLUICE_MODEL_INVALID' });
    await batcher.close();
  });
});
