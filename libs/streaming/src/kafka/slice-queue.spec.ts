import { ManualClock } from '@sluice/domain';
import type { InRecord } from '../port.ts';
import { SliceQueue } from './slice-queue.ts';

const records = (count: number, bytes = 1): InRecord[] =>
  Array.from({ length: count }, (_, offset) => ({
    topic: 't',
    partition: 0,
    offset,
    timestamp: 0,
    key: null,
    value: Buffer.alloc(bytes),
    headers: {},
  }));
const never = () => false;

describe('a slice queue', () => {
  it('hands out at most maxSlice records, in order', async () => {
    const queue = new SliceQueue({ maxSlice: 3, lingerMs: 0 });
    queue.push(records(7));
    const offsets: number[][] = [];
    while (queue.length > 0) offsets.push((await queue.take(0, never)).map(({ offset }) => offset));
    expect(offsets).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  it('lingers for company, but not once the slice is full', async () => {
    const queue = new SliceQueue({ maxSlice: 4, lingerMs: 10_000 });
    queue.push(records(2));
    const taken = queue.take(0, never);
    queue.push(records(2));
    expect(await taken).toHaveLength(4);
  });

  it('gathers after a commit for as long as that took', async () => {
    const queue = new SliceQueue({ maxSlice: 4, lingerMs: 0 });
    queue.committed(60_000);
    queue.push(records(2));
    const taken = queue.take(0, never);
    await new Promise(setImmediate);
    queue.push(records(2));
    expect(await taken).toHaveLength(4);
  });

  it('does not stand still because one commit was slow', async () => {
    const queue = new SliceQueue({ maxSlice: 4, lingerMs: 0 });
    queue.committed(60_000);
    queue.push(records(1));
    expect(await queue.take(0, never)).toHaveLength(1);
  });

  describe('with records that nobody waits for', () => {
    const unhurried = { is: ({ topic }: InRecord) => topic === 'shadow', lingerMs: 60_000 };
    const shadows = (count: number) => records(count).map((record) => ({ ...record, topic: 'shadow' }));
    const opened = () => new SliceQueue({ maxSlice: 4, lingerMs: 0, unhurried });

    it('gathers them until the slice is full', async () => {
      const queue = opened();
      queue.push(shadows(3));
      const taken = queue.take(0, never);
      queue.push(shadows(2));
      expect(await taken).toHaveLength(4);
    });

    it('takes them along as soon as a record comes that somebody waits for', async () => {
      const queue = opened();
      queue.push(shadows(2));
      const taken = queue.take(0, never);
      queue.push(records(1));
      expect(await taken).toHaveLength(3);
    });

    it('does not hold back a record that stands behind them', async () => {
      const queue = opened();
      queue.push([...shadows(2), ...records(1)]);
      expect(await queue.take(0, never)).toHaveLength(3);
    });

    it('ends their gathering when it is stopped', async () => {
      const queue = opened();
      queue.push(shadows(1));
      let stopped = false;
      const taken = queue.take(0, () => stopped);
      stopped = true;
      queue.wake();
      expect(await taken).toEqual([]);
    });
  });

  it('bounds a slice by bytes, and lets a single larger record through', async () => {
    const queue = new SliceQueue({ maxSlice: 100, lingerMs: 0 });
    queue.push(records(3, 3 << 20));
    expect(await queue.take(0, never)).toHaveLength(1);
    queue.clear();
    queue.push(records(1, 9 << 20));
    expect(await queue.take(0, never)).toHaveLength(1);
  });

  it('hands out nothing before its time, and nothing past a record that is not due: the order holds', async () => {
    const clock = new ManualClock(1_000);
    const times = [900, 1_000, 2_000, 500];
    const queue = new SliceQueue({ maxSlice: 10, lingerMs: 0, holding: { until: ({ offset }) => times[offset]!, clock } });
    queue.push(records(4));
    expect((await queue.take(0, never)).map(({ offset }) => offset)).toEqual([0, 1]);
    expect(queue.restMs).toBe(1_000);
    expect(await queue.take(0, never)).toEqual([]);
    expect(queue.length).toBe(2);
    clock.advance(1_000);
    expect((await queue.take(0, never)).map(({ offset }) => offset)).toEqual([2, 3]);
    expect(queue.restMs).toBe(0);
  });

  it('returns nothing after the idle time and at once when stopped', async () => {
    const queue = new SliceQueue({ maxSlice: 1, lingerMs: 0 });
    expect(await queue.take(5, never)).toEqual([]);
    let stopped = false;
    const taken = queue.take(60_000, () => stopped);
    stopped = true;
    queue.wake();
    expect(await taken).toEqual([]);
  });

  it('is full long before memory is, and low again after half is taken', async () => {
    const queue = new SliceQueue({ maxSlice: 10, lingerMs: 0 });
    queue.push(records(40));
    expect(queue.isFull).toBe(true);
    await queue.take(0, never);
    expect(queue.isLow).toBe(false);
    await queue.take(0, never);
    expect(queue.isLow).toBe(true);
  });
});
