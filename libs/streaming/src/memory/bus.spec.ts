import fc from 'fast-check';
import { readDeadLetter } from '@sluice/contracts';
import { ManualClock, SluiceError } from '@sluice/domain';
import { partitionFor } from '../murmur2.ts';
import { readSource } from '../records.ts';
import type { InRecord, PipeSpec, Processor } from '../port.ts';
import { memoryBus, type MemoryBusOptions } from './bus.ts';

const copyTo = (topic: string) => (slice: readonly InRecord[]) => slice.map(({ key, value, ...from }) => ({ topic, key, value, from }));

const pipeSpec = (processor: Processor, more: Partial<PipeSpec> = {}): PipeSpec => ({
  group: 'copy', topics: ['in'], delivery: 'exactly-once', maxSlice: 7, lingerMs: 0, deadLetters: 'dead', processor: () => processor, ...more,
}); // prettier-ignore

async function openBus(options?: MemoryBusOptions) {
  const bus = memoryBus(options);
  const names = ['in', 'mid', 'out'].map((name) => ({ name, partitions: 3 }));
  await bus.ensureTopics([...names, { name: 'dead', partitions: 1 }]);
  const publisher = await bus.openPublisher();
  const publish = (keys: readonly (string | null)[]) =>
    publisher.publish(keys.map((key, i) => ({ topic: 'in', key: key === null ? null : Buffer.from(key), value: Buffer.from(String(i)) })));
  return { bus, publish };
}

const textsOf = (records: readonly InRecord[]) => records.map(({ value }) => value!.toString());

describe('the memory bus', () => {
  it('delivers every record once through two pipes whatever is aborted, fails or is poison: in = out + dead letters', async () => {
    const keys = fc.array(fc.option(fc.string({ maxLength: 3 })), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(keys, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), fc.boolean(), async (published, dice, live) => {
        const roll = () => dice.next().value as number;
        let aborts = 0;
        const { bus, publish } = await openBus({ live, abort: () => aborts++ < 200 && roll() < 3 });
        const process = (slice: readonly InRecord[]) => {
          if (slice.some(({ value }) => Number(value) % 10 === 9)) throw new SluiceError('SLUICE_AVRO_INVALID', 'poison');
          if (roll() < 1 && slice.length > 1) throw new Error('passing');
          return copyTo('mid')(slice);
        };
        await bus.openPipe(pipeSpec({ process }));
        await bus.openPipe(pipeSpec({ process: copyTo('out') }, { group: 'second', topics: ['mid'] }));
        await publish(published);
        await bus.settle();
        const [out, dead] = [await bus.readAll(['out']), await bus.readAll(['dead'])];
        expect([...textsOf(out), ...textsOf(dead)].map(Number).sort((a, b) => a - b)).toEqual([...published.keys()]);
        expect(dead.every((letter) => readDeadLetter(letter).code === 'SLUICE_AVRO_INVALID')).toBe(true);
        await bus.close();
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the order of each key and puts keys where murmur2 says', async () => {
    const { bus, publish } = await openBus();
    await bus.openPipe(pipeSpec({ process: copyTo('out') }));
    await publish(Array.from({ length: 50 }, (_, i) => `k${i % 5}`));
    await bus.settle();
    const out = await bus.readAll(['out']);
    for (const record of out) expect(record.partition).toBe(partitionFor(record.key!, 3));
    for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) {
      const values = textsOf(out.filter((record) => record.key!.toString() === key)).map(Number);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
  });

  it('stamps each output with its source and replaces a stamp that came with the input', async () => {
    const { bus } = await openBus();
    const forged = {
      topic: 'in',
      partition: 2,
      key: null,
      value: Buffer.from('x'),
      headers: { 'sluice-source': 'forged/0/0', other: 'kept' },
    };
    await (await bus.openPublisher()).publish([forged]);
    await bus.openPipe(
      pipeSpec({ process: (slice) => slice.map((from) => ({ topic: 'out', key: null, value: null, headers: from.headers, from })) }),
    );
    await bus.settle();
    const [out] = await bus.readAll(['out']);
    expect(readSource(out!.headers)).toEqual({ topic: 'in', partition: 2, offset: 0 });
    expect(out!.partition).toBe(2);
    expect(out!.headers['other']!.toString()).toBe('kept');
  });

  it('tells the processor after each slice whether its outputs exist, and never both', async () => {
    const calls: string[] = [];
    let aborts = 2;
    const { bus, publish } = await openBus({ abort: () => aborts-- > 0 });
    const process = (slice: readonly InRecord[]) => (calls.push('process'), copyTo('out')(slice));
    await bus.openPipe(pipeSpec({ process, committed: () => void calls.push('committed'), aborted: () => void calls.push('aborted') }));
    await publish(['a']);
    await bus.settle();
    expect(calls).toEqual(['process', 'aborted', 'process', 'aborted', 'process', 'committed']);
  });

  it('goes on from the committed offset after a pipe was closed, with the last records before it for restoring', async () => {
    const { bus, publish } = await openBus();
    const first = await bus.openPipe(pipeSpec({ process: copyTo('out') }));
    await publish(Array.from({ length: 20 }, () => 'same'));
    await bus.settle();
    await first.close();
    await publish(['same']);
    const restored: InRecord[] = [];
    await bus.openPipe(pipeSpec({ process: copyTo('out'), restore: (records) => void restored.push(...records) }, { replay: 4 }));
    await bus.settle();
    expect(textsOf(restored)).toEqual(['16', '17', '18', '19']);
    expect(await bus.readAll(['out'])).toHaveLength(21);
  });

  it('folds a table from what exists and from what comes, a tombstone deletes', async () => {
    const { bus } = await openBus();
    const publisher = await bus.openPublisher();
    const put = (key: string, value: string | null) =>
      publisher.publish([{ topic: 'in', key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }]);
    await put('a', '1');
    const table = await bus.openTable({ topic: 'in', decode: (value) => Number(value) });
    expect(table.get('a')).toBe(1);
    await put('a', '2');
    await put('b', '3');
    await put('a', null);
    expect([...table.entries()]).toEqual([['b', 3]]);
    expect(table.size).toBe(4);
  });

  it('refuses another partition count and an unknown topic by code', async () => {
    const { bus } = await openBus();
    await expect(bus.ensureTopics([{ name: 'in', partitions: 4 }])).rejects.toMatchObject({ code: 'SLUICE_TOPIC_MISMATCH' });
    await expect(bus.readAll(['nowhere'])).rejects.toMatchObject({ code: 'SLUICE_TOPIC_MISSING' });
    const pipe = await bus.openPipe(pipeSpec({ process: copyTo('nowhere') }));
    await (await bus.openPublisher()).publish([{ topic: 'in', key: null, value: null }]);
    await bus.settle();
    await expect(pipe.done).rejects.toMatchObject({ code: 'SLUICE_TOPIC_MISSING' });
  });

  it('lets a partition rest until its first record is due, by itself when live', async () => {
    const clock = new ManualClock(0);
    const until = ({ value }: InRecord) => Number(value);
    const { bus } = await openBus();
    const publisher = await bus.openPublisher();
    await bus.openPipe(pipeSpec({ process: copyTo('out') }, { holding: { until, clock } }));
    await publisher.publish(['0', '50', '10'].map((time) => ({ topic: 'in', partition: 0, key: null, value: Buffer.from(time) })));
    await publisher.publish([{ topic: 'in', partition: 1, key: null, value: Buffer.from('20') }]);
    const outAt = async (now: number) => {
      clock.advance(now - clock.now());
      await bus.settle();
      return textsOf(await bus.readAll(['out']));
    };
    expect(await outAt(10)).toEqual(['0']);
    expect(await outAt(20)).toEqual(['0', '20']);
    expect(await outAt(50)).toEqual(['0', '50', '10', '20']);
    const live = (await openBus({ live: true })).bus;
    await live.openPipe(pipeSpec({ process: copyTo('out') }, { holding: { until, clock: { now: Date.now } } }));
    const came = new Promise<number>((resolve) => {
      void live.openReader({ topics: ['out'], from: 'end', onRecords: () => resolve(Date.now()) });
    });
    const due = Date.now() + 50;
    await (await live.openPublisher()).publish([{ topic: 'in', partition: 0, key: null, value: Buffer.from(String(due)) }]);
    expect(await came).toBeGreaterThanOrEqual(due);
    await live.close();
  });

  it('runs by itself when live, and a slow partition does not hold up another', async () => {
    const { bus } = await openBus({ live: true });
    const publisher = await bus.openPublisher();
    let release = () => undefined as void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const process = async (slice: readonly InRecord[]) => {
      if (slice[0]!.partition === 0) await gate;
      return copyTo('out')(slice);
    };
    await bus.openPipe(pipeSpec({ process }));
    const seen: string[] = [];
    await bus.openReader({ topics: ['out'], from: 'end', onRecords: (records) => void seen.push(...textsOf(records)) });
    const put = (partition: number, text: string) => publisher.publish([{ topic: 'in', partition, key: null, value: Buffer.from(text) }]);
    await put(0, 'slow');
    await put(1, 'fast');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await put(1, 'faster');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen).toEqual(['fast', 'faster']);
    release();
    await bus.settle();
    expect(seen).toEqual(['fast', 'faster', 'slow']);
  });
});
