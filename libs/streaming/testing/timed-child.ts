/**
 * A process that copies `bench.in-RUN` to `bench.out-RUN` and times its transactions: `timed-child.ts BROKERS RUN WAY SLICE LINGER`. WAY is `version-1`
 * of the transaction protocol, `version-2` where the cluster has it, or `one-per-process`: version 2 with one producer for all partitions. It says
 * `running`; at each line on its input it tells what was done since the last one, as JSON.
 */
import { createInterface } from 'node:readline';
import hooks from 'kafkajs/src/producer/transactionsV2.js';
import { kafkaBus } from '../src/index.ts';
import { Clients } from '../src/kafka/client.ts';
import { shareOneProducer } from './shared-producer.ts';

const [brokers = '', run = '', way = '', slice = '', linger = ''] = process.argv.slice(2);
const options = { brokers: brokers.split(','), clientId: `bench-${run}` };
const bus = kafkaBus(options);
if (way === 'version-1') Object.assign(hooks, { negotiate: undefined });
const shared = way === 'one-per-process' ? shareOneProducer(new Clients(options), `bench-${run}`) : undefined;
let commits: number[] = [];
let records = 0;
let transactions = 0;
let cpu = process.cpuUsage();
const { stats } = await bus.openPipe({
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
  const sum = shared?.transactions ?? stats.transactions;
  // An aborted transaction is a failed run: the contender with one producer does not come back from it.
  if (stats.aborts > 0) throw new Error(`${stats.aborts} transactions failed`);
  console.log(JSON.stringify({ records, commits, transactions: sum - transactions, cpuMs: (user + system) / 1_000 }));
  [commits, records, transactions, cpu] = [[], 0, sum, process.cpuUsage()];
}
await bus.close();
await shared?.close();
