/**
 * A process that copies `bench.in-RUN` to `bench.out-RUN` and times its transactions: `timed-child.ts BROKERS RUN VERSION SLICE LINGER`, VERSION of
 * the transaction protocol being 1 or the one that is negotiated. It says `running`; at each line on its input it tells what was done
 * since the last one, as JSON.
 */
import { createInterface } from 'node:readline';
import hooks from 'kafkajs/src/producer/transactionsV2.js';
import { kafkaBus } from '../src/index.ts';

const [brokers = '', run = '', version = '', slice = '', linger = ''] = process.argv.slice(2);
const bus = kafkaBus({ brokers: brokers.split(','), clientId: `bench-${run}` });
if (version === '1') Object.assign(hooks, { negotiate: undefined });
let commits: number[] = [];
let records = 0;
let cpu = process.cpuUsage();
await bus.openPipe({
  ...{ group: `bench-${run}`, topics: [`bench.in-${run}`], deadLetters: `bench.dead-${run}` },
  ...{ delivery: 'exactly-once', maxSlice: Number(slice), lingerMs: Number(linger) },
  processor: () => {
    let begun = 0;
    let size = 0;
    return {
      process(from) {
        begun = performance.now();
        size = from.length;
        return from.map(({ key, value, ...place }) => ({ topic: `bench.out-${run}`, key, value, from: place }));
      },
      committed() {
        commits.push(performance.now() - begun);
        records += size;
      },
    };
  },
});
console.log('running');
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ records, commits, cpuMs: (user + system) / 1_000 }));
  [commits, records, cpu] = [[], 0, process.cpuUsage()];
}
await bus.close();
