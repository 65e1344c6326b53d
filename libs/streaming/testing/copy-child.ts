/**
 * A process that copies `in` to `out` until it is killed: `copy-child.ts BROKERS SUFFIX`. It says `running` when it owns its
 * partitions, and then a dot for each transaction.
 */
import { kafkaBus } from '../src/index.ts';

const [brokers = '', suffix = ''] = process.argv.slice(2);
const bus = kafkaBus({ brokers: brokers.split(','), clientId: 'copy-child' });
const pipe = await bus.openPipe({
  group: `copy-${suffix}`,
  topics: [`in-${suffix}`],
  delivery: 'exactly-once',
  maxSlice: 50,
  lingerMs: 1,
  deadLetters: `dead-${suffix}`,
  processor: () => ({
    process: (slice) => slice.map(({ key, value, ...from }) => ({ topic: `out-${suffix}`, key, value, from })),
    committed: () => void process.stdout.write('.'),
  }),
});
process.stdout.write('running');
await pipe.done;
