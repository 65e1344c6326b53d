import { readDeadLetter } from '@sluice/contracts';
import { ManualClock } from '@sluice/domain';
import type { Holding, InRecord, Processor, TopicPartition } from '../port.ts';
import { newStats } from '../stats.ts';
import type { ClientBatch } from './internals.ts';
import { Membership } from './membership.ts';
import { PartitionOwner, type OwnerContext } from './partition-owner.ts';
import type { Commit } from './writer.ts';

const partition: TopicPartition = { topic: 'in', partition: 0 };

type Fate = 'committed' | 'lost answer' | 'lost request' | 'fenced';

/** An owner over a log of `count` records whose commits meet the fates given, then succeed. */
function openOwner(
  count: number,
  fates: Fate[],
  stands: { low?: number; committed?: number | undefined } = { committed: 0 },
  holding?: Holding,
) {
  const calls: string[] = [];
  const written: number[] = [];
  const seeks: number[] = [];
  const letters: string[] = [];
  const pauses: boolean[] = [];
  let { committed } = stands;
  const membership = new Membership();
  membership.confirm();
  const commit = async ({ records, next }: Commit) => {
    const fate = fates.shift() ?? 'committed';
    if (fate === 'fenced') throw Object.assign(new Error('fenced'), { type: 'INVALID_PRODUCER_EPOCH' });
    if (fate === 'lost request') throw new Error('connection lost');
    written.push(...records.filter(({ topic }) => topic === 'out').map(({ value }) => Number(value)));
    for (const { topic, headers } of records)
      if (topic === 'dead')
        letters.push(
          `${readDeadLetter({ headers: headers! }).code} ${String(headers!['sluice-origin'])} ${String(headers!['sluice-until'])}`,
        );
    committed = next;
    if (fate === 'lost answer') throw new Error('connection lost');
  };
  const processor: Processor = {
    process: (slice: readonly InRecord[]) => (
      calls.push('process'),
      slice.map(({ key, value, ...from }) => ({ topic: 'out', key, value, from }))
    ),
    committed: () => void calls.push('committed'),
    aborted: () => void calls.push('aborted'),
    close: () => void calls.push('close'),
  };
  const bounds = { low: stands.low ?? 0, stable: count, high: count };
  const context = {
    admin: { bounds: async () => bounds, committed: async () => committed, partitions: async () => 1 },
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    spec: { group: 'g', deadLetters: 'dead', maxSlice: 10, lingerMs: 0, processor: () => processor, ...(holding && { holding }) },
    stats: newStats(),
    membership,
    newWriter: () => ({ open: async () => undefined, commit, close: async () => undefined }),
    setPaused: (_: TopicPartition, value: boolean) => void pauses.push(value),
    // The consumer's part: it fetches from where it is told to.
    seek: (_: TopicPartition, offset: number) => (
      seeks.push(offset),
      setImmediate(() => offset < count && owner.offer(batchOf(offset, count)))
    ),
  } as unknown as OwnerContext;
  const owner: PartitionOwner = new PartitionOwner(context, partition, Promise.resolve());
  return { owner, calls, written, seeks, letters, pauses, processor, membership, stats: context.stats, committed: () => committed };
}

function batchOf(from: number, to: number): ClientBatch {
  const messages = Array.from({ length: to - from }, (_, i) => ({
    offset: String(from + i),
    timestamp: '0',
    key: null,
    value: Buffer.from(String(from + i)),
  }));
  return { ...partition, fetchedOffset: String(from), messages, lastOffset: () => String(to - 1) };
}

const settled = (ms = 150) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the owner of a partition', () => {
  it('asks the committed offset when the answer to a commit is lost: what took place is not repeated', async () => {
    const { owner, calls, written, seeks } = openOwner(5, ['lost answer']);
    await settled();
    expect(written).toEqual([0, 1, 2, 3, 4]);
    expect(calls).toEqual(['process', 'committed']);
    expect(seeks).toEqual([0, 5]);
    await owner.close();
  });

  it('repeats a slice whose commit did not take place, after the processor forgot it', async () => {
    const { owner, calls, written } = openOwner(5, ['lost request', 'lost request']);
    await settled(400);
    expect(written).toEqual([0, 1, 2, 3, 4]);
    expect(calls).toEqual(['process', 'aborted', 'process', 'aborted', 'process', 'committed']);
    await owner.close();
    expect(calls.at(-1)).toBe('close');
  });

  it('does nothing after it was fenced until the group confirms that the partition is still its own', async () => {
    const { owner, written, membership } = openOwner(5, ['fenced']);
    await settled(300);
    expect(owner.state).toBe('fenced');
    expect(written).toEqual([]);
    membership.confirm();
    await settled(300);
    expect(written).toEqual([0, 1, 2, 3, 4]);
    await owner.close();
  });

  it('refuses a batch that does not begin where the last one ended, and goes back there', async () => {
    const { owner, written, seeks } = openOwner(5, []);
    await settled();
    expect(owner.offer(batchOf(9, 12))).toBe(false);
    owner.skipped(5, 6);
    expect(owner.offer(batchOf(7, 8))).toBe(true);
    await settled();
    expect(written).toEqual([0, 1, 2, 3, 4, 7]);
    expect(seeks).toEqual([0, 5]);
    await owner.close();
  });

  it('fetches a damaged batch anew before it believes that the log itself is damaged', async () => {
    const { owner, seeks, letters } = openOwner(5, []);
    await settled();
    const damaged = batchOf(5, 6);
    const offered = () =>
      owner.offer({
        ...damaged,
        messages: damaged.messages.map((message) => ({ ...message, damage: { reason: 'checksum', firstOffset: 5 } })),
      });
    expect([offered(), offered()]).toEqual([false, false]);
    expect(seeks).toEqual([0, 5, 5]);
    expect(offered()).toBe(true);
    await settled();
    expect(letters).toEqual(['SLUICE_BATCH_DAMAGED in/0/5 undefined']);
    await owner.close();
  });

  it('keeps its processor over a renewal while nobody else moved the partition on', async () => {
    const { owner, calls } = openOwner(5, []);
    await settled();
    owner.renew();
    await settled();
    expect(owner.state).toBe('running');
    expect(calls).toEqual(['process', 'committed']);
    await owner.close();
  });

  it('tells what expired unread in the commit that moves over it, once, also when the answer to it is lost', async () => {
    const { owner, calls, written, letters, stats } = openOwner(9, ['lost request', 'lost answer'], { low: 6, committed: 2 });
    await settled(500);
    expect(letters).toEqual(['SLUICE_RECORDS_EXPIRED in/0/2 6']);
    expect(stats.expired).toBe(4);
    expect(written).toEqual([6, 7, 8]);
    expect(calls).toEqual(['process', 'committed']);
    await owner.close();
  });

  it('commits its place before it reads, so that nothing can expire unnoticed from then on', async () => {
    const { owner, letters, stats, committed } = openOwner(4, ['committed', ...Array<Fate>(20).fill('lost request')], {
      low: 4,
      committed: undefined,
    });
    await settled();
    expect(committed()).toBe(4);
    expect([letters, stats.expired]).toEqual([[], 0]);
    await owner.close();
  });

  it('pauses its partition while four slices wait behind one that takes its time, and goes on when half of them is taken', async () => {
    const { owner, pauses, processor } = openOwner(0, []);
    const gates: (() => void)[] = [];
    processor.process = () => new Promise((resolve) => gates.push(() => resolve([])));
    await owner.ready;
    pauses.length = 0;
    owner.offer(batchOf(0, 10));
    await settled(20);
    owner.offer(batchOf(10, 49));
    expect(pauses).toEqual([]);
    owner.offer(batchOf(49, 50));
    expect(pauses).toEqual([true]);
    gates.shift()!();
    await settled(20);
    expect(pauses).toEqual([true]);
    gates.shift()!();
    await settled(20);
    expect(pauses).toEqual([true, false]);
    processor.process = () => [];
    gates.shift()!();
    await owner.close();
  });

  it('pauses its partition while nothing is due, commits nothing past what waits, and is not taken for stalled', async () => {
    const clock = new ManualClock(0);
    const { owner, pauses, written, committed } = openOwner(
      0,
      [],
      { committed: 0 },
      { until: ({ offset }) => (offset < 5 ? 0 : 60_000), clock },
    );
    await owner.ready;
    pauses.length = 0;
    owner.offer(batchOf(0, 8));
    await settled(1_200);
    expect({ pauses, written, committed: committed(), resting: owner.isResting }).toEqual({
      ...{ pauses: [true], written: [0, 1, 2, 3, 4], committed: 5, resting: true },
    });
    clock.advance(60_000);
    await settled(1_200);
    expect({ pauses, written, committed: committed(), resting: owner.isResting }).toEqual({
      ...{ pauses: [true, false], written: [0, 1, 2, 3, 4, 5, 6, 7], committed: 8, resting: false },
    });
    await owner.close();
  });

  it('ends with an error when the log is shorter than what was committed: it may be another one', async () => {
    const { owner, written } = openOwner(5, [], { committed: 7 });
    await expect(owner.done).rejects.toMatchObject({ code: 'SLUICE_OFFSET_AHEAD' });
    expect(written).toEqual([]);
  });
});
