import { randomBytes } from 'node:crypto';
import { readDeadLetter } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import { brokersUnderTest, numbersOf, openKafkaBench, until, upTo } from '../../testing/kafka-bench.ts';
import { readSource } from '../records.ts';
import { kafkaBus, type InRecord } from '../index.ts';
import { ClusterAdmin } from './admin.ts';
import { Clients } from './client.ts';
import { TransactionalWriter } from './writer.ts';

jest.setTimeout(90_000);

type Bench = Awaited<ReturnType<typeof openKafkaBench>>;
let bench: Bench;
beforeEach(async () => {
  bench = await openKafkaBench();
});
afterEach(() => bench?.bus.close());

const clients = () => new Clients({ brokers: brokersUnderTest(), clientId: 'rival' });

describe('the exactly-once pipe on a real broker', () => {
  it('copies each record once, in order per key, though its processor throws at random and its producers are taken over', async () => {
    const { bus, publish, copy, input, output, dead, suffix, pipeSpec } = bench;
    await publish(0, 1_500);
    let dice = 12_345;
    const roll = () => (dice = (dice * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    const process = (slice: readonly InRecord[]) => {
      if (slice.length > 1 && roll() < 0.15) throw new Error('at random');
      return copy(slice);
    };
    const pipe = await bus.openPipe(pipeSpec({ process }));
    for (let rival = 0; rival < 3; rival++) {
      const usurper = new TransactionalWriter(clients(), `copy-${suffix}`, { topic: input, partition: rival });
      await usurper.open();
      await usurper.close();
      await publish(1_500 + rival * 500, 2_000 + rival * 500);
    }
    await until('all records', () => pipe.stats.records >= 3_000);
    await pipe.close();
    const out = await bus.readAll([output]);
    expect(numbersOf(out)).toEqual(upTo(3_000));
    expect(await bus.readAll([dead])).toEqual([]);
    expect(pipe.stats.aborts).toBeGreaterThan(0);
    const last = new Map<string, number>();
    for (const record of out) {
      const { partition, offset } = readSource(record.headers)!;
      expect(offset).toBeGreaterThan(last.get(`${partition} ${record.partition}`) ?? -1);
      last.set(`${partition} ${record.partition}`, offset);
    }
  });

  it('puts poison aside as dead letters with cause and origin: in = out + dead letters', async () => {
    const { bus, publish, copy, output, dead, input, pipeSpec } = bench;
    const process = (slice: readonly InRecord[]) => {
      if (slice.some(({ value }) => Number(value) % 100 === 7)) throw new SluiceError('SLUICE_AVRO_TRUNCATED', 'ends early');
      return copy(slice);
    };
    const pipe = await bus.openPipe(pipeSpec({ process }));
    await publish(0, 500);
    await until('all records', () => pipe.stats.records >= 500);
    const [out, letters] = [await bus.readAll([output]), await bus.readAll([dead])];
    expect(numbersOf(letters)).toEqual([7, 107, 207, 307, 407]);
    expect(numbersOf([...out, ...letters])).toEqual(upTo(500));
    for (const letter of letters) {
      expect(readDeadLetter(letter)).toMatchObject({ code: 'SLUICE_AVRO_TRUNCATED', attempts: 3, source: { topic: input } });
    }
    expect(pipe.stats).toMatchObject({ records: 500, outputs: 500, deadLetters: 5 });
  });

  it('carries slices larger than one record batch may be, and puts an output aside that no broker takes', async () => {
    const { bus, publish, output, dead, pipeSpec } = bench;
    const filler = randomBytes(60_000);
    const process = (slice: readonly InRecord[]) =>
      slice.map(({ key, value, ...from }) => {
        const huge = value!.toString() === '33';
        return { topic: output, key, value, headers: { filler: huge ? Buffer.alloc(2 << 20) : filler }, from };
      });
    const pipe = await bus.openPipe(pipeSpec({ process }));
    await publish(0, 150);
    await until('all records', () => pipe.stats.records >= 150);
    const [out, letters] = [await bus.readAll([output]), await bus.readAll([dead])];
    expect(numbersOf(letters)).toEqual([33]);
    expect(readDeadLetter(letters[0]!).code).toBe('SLUICE_RECORD_TOO_LARGE');
    expect(numbersOf([...out, ...letters])).toEqual(upTo(150));
  });

  it('brings lag to rest at zero over markers and aborted records', async () => {
    const { bus, publish, copy, output, suffix, pipeSpec } = bench;
    const admin = new ClusterAdmin(clients());
    await bus.openPipe(pipeSpec({ process: copy }));
    const chained = await bus.openPipe(pipeSpec({ process: () => [] }, { group: `sink-${suffix}`, topics: [output] }));
    await publish(0, 100);
    await until('all records', () => chained.stats.records >= 100);
    for (const partition of [0, 1, 2]) {
      const place = { topic: output, partition };
      await until('no lag', async () => (await admin.committed(`sink-${suffix}`, place)) === (await admin.bounds(place)).high);
    }
    await admin.close();
  });

  it('goes on where it stopped, hands the last records to restore, and shares partitions with a second member', async () => {
    const { bus, publish, copy, output, suffix, pipeSpec } = bench;
    const first = await bus.openPipe(pipeSpec({ process: copy }));
    await publish(0, 300);
    await until('all records', () => first.stats.records >= 300);
    await first.close();
    const restored: InRecord[] = [];
    const spec = pipeSpec({ process: copy, restore: (records) => void restored.push(...records) }, { replay: 10 });
    const second = await bus.openPipe(spec);
    expect(restored).toHaveLength(30);
    const other = kafkaBus({ brokers: brokersUnderTest(), clientId: 'second-member' });
    const third = await other.openPipe(spec);
    for (let from = 300; from < 900; from += 100) await publish(from, from + 100);
    await until('all records', () => second.stats.records + third.stats.records >= 600);
    expect(second.stats.assigned + third.stats.assigned).toBe(3);
    await other.close();
    await publish(900, 1_000);
    await until('the rest', async () => (await bus.readAll([output])).length >= 1_000);
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(1_000));
    expect(suffix).toBeTruthy();
  });

  it('ends with the error of a processor that cannot go on, and commits nothing past it', async () => {
    const { bus, publish, output, pipeSpec } = bench;
    const pipe = await bus.openPipe(pipeSpec({ process: () => { throw new SluiceError('SLUICE_MODEL_MISSING', 'gone'); } })); // prettier-ignore
    await publish(0, 10);
    await expect(pipe.done).rejects.toMatchObject({ code: 'SLUICE_MODEL_MISSING' });
    expect(await bus.readAll([output])).toEqual([]);
    const again = await bus.openPipe(pipeSpec({ process: bench.copy }));
    await until('all records', () => again.stats.records >= 10);
  });

  it('copies at least once where a flow declares that', async () => {
    const { bus, publish, copy, output, pipeSpec } = bench;
    const pipe = await bus.openPipe(pipeSpec({ process: copy }, { delivery: 'at-least-once' }));
    await publish(0, 500);
    await until('all records', () => pipe.stats.records >= 500);
    await pipe.close();
    const again = await bus.openPipe(pipeSpec({ process: copy }, { delivery: 'at-least-once' }));
    await publish(500, 600);
    await until('all records', () => again.stats.records >= 100);
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(600));
  });
});

describe('what goes wrong at the start', () => {
  it('names a topic that does not exist', async () => {
    const { bus, pipeSpec, copy } = bench;
    await expect(bus.openPipe(pipeSpec({ process: copy }, { topics: ['nowhere'] }))).rejects.toMatchObject({
      code: 'SLUICE_TOPIC_MISSING',
    });
  });

  it('refuses a topic with another number of partitions, and creates a topic only once for many', async () => {
    const { bus, input, suffix } = bench;
    await expect(bus.ensureTopics([{ name: input, partitions: 4 }])).rejects.toMatchObject({ code: 'SLUICE_TOPIC_MISMATCH' });
    const others = [1, 2, 3].map((i) => kafkaBus({ brokers: brokersUnderTest(), clientId: `starter-${i}` }));
    await Promise.all(
      others.map((other) => other.ensureTopics([{ name: `many-${suffix}`, partitions: 2, compacted: true, retention: 60_000 }])),
    );
    await Promise.all(others.map((other) => other.close()));
  });

  it('says within ten seconds that no broker answers', async () => {
    const bus = kafkaBus({ brokers: ['127.0.0.1:1'], clientId: 'lost' });
    await expect(bus.ensureTopics([])).rejects.toMatchObject({ code: 'SLUICE_BROKER_UNREACHABLE' });
    await bus.close();
  });
});
