import { numbersOf, openKafkaBench, until, upTo } from '../../testing/kafka-bench.ts';

jest.setTimeout(60_000);

describe('views on a real broker', () => {
  it('open a table only when it holds everything that existed, and keep it current', async () => {
    const { bus, suffix } = await openKafkaBench();
    const topic = `table-${suffix}`;
    await bus.ensureTopics([{ name: topic, partitions: 2, compacted: true }]);
    const publisher = await bus.openPublisher();
    const put = (key: string, value: string | null) =>
      publisher.publish([{ topic, key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }]);
    const rows = upTo(2_000).map((i) => ({ topic, key: Buffer.from(`k${i % 500}`), value: Buffer.from(String(i)) }));
    await publisher.publish(rows);
    const seen: string[] = [];
    const table = await bus.openTable({ topic, decode: (value) => Number(value), onChange: (key) => void seen.push(key) });
    expect([...table.entries()].map(([, value]) => value).sort((a, b) => a - b)).toEqual(upTo(500).map((i) => i + 1_500));
    expect(table.size).toBe(2_000);
    expect(seen).toHaveLength(2_000);
    await put('k0', null);
    await put('new', '1');
    await until('the change', () => table.get('new') === 1 && table.get('k0') === undefined);
    await bus.close();
  });

  it('open an empty table at once', async () => {
    const { bus, suffix } = await openKafkaBench();
    await bus.ensureTopics([{ name: `empty-${suffix}`, partitions: 1, compacted: true }]);
    const table = await bus.openTable({ topic: `empty-${suffix}`, decode: String });
    expect([...table.entries()]).toEqual([]);
    await bus.close();
  });

  it('read a topic whose last record is a transaction marker to its end, right after the commit', async () => {
    const { bus, publish, copy, output, pipeSpec } = await openKafkaBench();
    const pipe = await bus.openPipe(pipeSpec({ process: copy }));
    await publish(0, 200);
    await until('all records', () => pipe.stats.records >= 200);
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(200));
    const table = await bus.openTable({ topic: output, decode: (value) => Number(value) });
    expect([...table.entries()]).toHaveLength(200);
    await bus.close();
  });

  it('tail from the end: only what comes after the reader is ready', async () => {
    const { bus, publish, input } = await openKafkaBench();
    await publish(0, 50);
    const seen: number[] = [];
    const reader = await bus.openReader({ topics: [input], from: 'end', onRecords: (records) => void seen.push(...numbersOf(records)) });
    await publish(50, 60);
    await until('the new records', () => seen.length >= 10);
    expect(seen.sort((a, b) => a - b)).toEqual(upTo(60).slice(50));
    await reader.close();
    await bus.close();
  });
});
