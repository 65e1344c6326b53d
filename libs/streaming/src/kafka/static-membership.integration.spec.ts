import { kafkaBus, type Bus, type InRecord } from '../index.ts';
import { brokersUnderTest, numbersOf, openKafkaBench, until, upTo } from '../../testing/kafka-bench.ts';

jest.setTimeout(60_000);

type Bench = Awaited<ReturnType<typeof openKafkaBench>>;
let bench: Bench;
const buses: Bus[] = [];
beforeEach(async () => {
  bench = await openKafkaBench();
});
afterEach(async () => {
  await Promise.all([bench?.bus, ...buses.splice(0)].map((bus) => bus?.close()));
});

/** A process of its own, as far as the group can tell. */
function named(instance: string): Bus {
  const bus = kafkaBus({ brokers: brokersUnderTest(), clientId: 'member', instance });
  buses.push(bus);
  return bus;
}

const noLonger = { code: 'SLUICE_CONSUMER_CRASHED' };

describe('a member of a group that has a name (KIP-345)', () => {
  it('is replaced at once by one of the same name, and ends with an error instead of fighting for the place', async () => {
    const { publish, copy, output, pipeSpec, bus } = bench;
    const first = await named('a').openPipe(pipeSpec({ process: copy }));
    await publish(0, 300);
    await until('the first half', () => first.stats.records >= 300);
    const second = await named('a').openPipe(pipeSpec({ process: copy }));
    await expect(first.done).rejects.toMatchObject(noLonger);
    await publish(300, 600);
    await until('the second half', () => second.stats.records >= 300);
    expect(second.stats.assigned).toBe(3);
    await second.close();
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(600));
  });

  it('shares the partitions with members of other names', async () => {
    const { publish, pipeSpec, copy, output, bus } = bench;
    const seen: InRecord[][] = [[], []];
    const open = (index: number) =>
      named(`b-${index}`).openPipe(
        pipeSpec({
          process: (slice) => {
            seen[index]!.push(...slice);
            return copy(slice);
          },
        }),
      );
    const pipes = [await open(0), await open(1)];
    await until('a share each', () => pipes.every(({ stats }) => stats.assigned > 0 && stats.assigned < 3));
    await publish(0, 300);
    await until('all records', () => pipes[0]!.stats.records + pipes[1]!.stats.records >= 300);
    await Promise.all(pipes.map((pipe) => pipe.close()));
    expect(numbersOf(await bus.readAll([output]))).toEqual(upTo(300));
    expect(seen.every((records) => records.length > 0)).toBe(true);
  });
});
