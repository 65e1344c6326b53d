/**
 * Replays the FrugalML prediction logs (Chen, Zaharia, Zou, NeurIPS 2020) as two-tier streams, controller against static threshold:
 * `node tools/bench/src/frugalml.ts --data DIR [--sets COMMAND,YELP] [--seeds 5]`
 */
import { parseArgs } from 'node:util';
import { readFrugalmlSet } from './frugalml/data-set.ts';
import { orders, pairOf, replay, type ReplayResult } from './frugalml/replay.ts';

/** Means of 5 seeds measured with the research code that preceded this one: harm / worst 5,000 / cost, and the static threshold's. */
const reference: Record<string, string> = {
  'COMMAND iid': '0.89 / 2.06 / 37.3, static 1.40 / 1.94 / 27.1',
  'COMMAND degrade': '0.79 / 4.75 / 68.3, static 10.18 / 20.0 / 27.1',
  'COMMAND natural': '0.57 / 2.05 / 51.1, static 4.56 / 11.8 / 32.1',
  'YELP iid': '0.58 / 1.00 / 84.0, static 1.02 / 1.14 / 65.9',
  'YELP natural': '0.76 / 3.04 / 54.7',
};

const { values: options } = parseArgs({
  options: { data: { type: 'string' }, sets: { type: 'string', default: 'COMMAND,YELP' }, seeds: { type: 'string', default: '5' } },
});

function main(): void {
  if (options.data === undefined) {
    console.error('--data DIR is missing: a folder with one sub-folder per FrugalML set.');
    process.exitCode = 2;
    return;
  }
  console.log(
    'epsilon 1 %, truth 500 events late. harm % (largest of the seeds) / worst 5,000 events % / cost in % of always-heavy, audits included\n',
  );
  for (const name of options.sets.split(',')) {
    const set = readFrugalmlSet(options.data, name);
    if (set === undefined) {
      console.log(`${name}: skipped, ${options.data} holds no such set.`);
      continue;
    }
    const { light, heavy } = pairOf(set);
    const percent = (share: number): string => (100 * share).toFixed(2);
    console.log(
      `${name}: ${light.name} ${percent(light.accuracy)} % -> ${heavy.name} ${percent(heavy.accuracy)} %, ${set.truths.length} events`,
    );
    for (const order of orders) {
      const played = (controlled: boolean): ReplayResult[] => seeds().map((seed) => replay({ set, order, seed, controlled }));
      console.log(`  ${order.padEnd(8)} controller ${told(played(true))}   static ${told(played(false))}`);
      const before = reference[`${name} ${order}`];
      if (before !== undefined) console.log(`  ${''.padEnd(8)} reference  ${before}`);
    }
  }
}

function seeds(): number[] {
  return Array.from({ length: Number(options.seeds) }, (_, index) => index + 1);
}

function told(results: readonly ReplayResult[]): string {
  const mean = (pick: (result: ReplayResult) => number): string =>
    (results.reduce((sum, one) => sum + pick(one), 0) / results.length).toFixed(2);
  const largest = Math.max(...results.map((result) => result.harm)).toFixed(2);
  return `${mean((one) => one.harm)} (${largest}) / ${mean((one) => one.worst)} / ${mean((one) => one.cost)}`;
}

main();
