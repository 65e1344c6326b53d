/**
 * Cost at the best service's accuracy on logged answers of several services, beside FrugalML (Chen, Zaharia, Zou, NeurIPS 2020):
 * `npm run bench -- frugalml --data DIR [--sets A,B] [--seeds 5] [--out FILE] [--plots FOLDER]`. DIR holds one folder a set: `meta.csv`,
 * `TrueLabel.txt.gz`, `Model<ID>_{PredictedLabel,Confidence}.txt.gz`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitSeeds } from './frugalml/contest.ts';
import { readFrugalmlSet, setsIn } from './frugalml/data-set.ts';
import { isWon, plotOf, rowOf, rowText, type Row } from './frugalml/row.ts';
import { machineOf } from './machine.ts';
import { optionsOf } from './options.ts';
import { svgOf } from './svg.ts';

const protocol = [
  'All services are tiers of one flow, the best of the training half is the reference. The learner folds the training half (several times where it is',
  'small), every tier and the truth known; its policy then serves the test half with the functions of router and workers, under each of 80 thresholds.',
  "The authors' rule of splitting is kept (permutation by seed, halves), not their permutations: numpy's cannot be made again bit for bit here.",
  'Cost: mean over test events of the prices of the services called. Means ± standard deviation over the seeds',
].join('\n');

const options = optionsOf('frugalml', {
  data: { type: 'string' },
  sets: { type: 'string' },
  seeds: { type: 'string', default: '5' },
  out: { type: 'string' },
  plots: { type: 'string' },
});

function main(data: string): void {
  const count = Number(options.seeds);
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`--seeds ${options.seeds}: how many of the authors' ${splitSeeds.length} seeds`);
  const seeds = splitSeeds.slice(0, count);
  const names = options.sets?.split(',') ?? setsIn(data);
  if (names.length === 0) throw new Error(`${data} holds no folder with a meta.csv`);
  console.log(`${protocol} ${seeds.join(', ')}.\n`);
  const rows = names.map((name): Row => {
    const set = readFrugalmlSet(data, name);
    if (set === undefined) throw new Error(`${data} holds no set ${name}`);
    const row = rowOf(set, seeds);
    console.log(rowText(row));
    if (options.plots !== undefined) {
      mkdirSync(options.plots, { recursive: true });
      writeFileSync(join(options.plots, `frugalml-${name.toLowerCase()}.svg`), svgOf([plotOf(row)]));
    }
    return row;
  });
  const machine = machineOf();
  const won = rows.filter(isWon).length;
  console.log(`\n${won} of ${rows.length} sets cheaper than FrugalML; node ${machine.node}, ${machine.cpus} x ${machine.cpu}`);
  if (options.out === undefined) return;
  writeFileSync(options.out, `${JSON.stringify({ bench: 'frugalml', seeds, protocol, machine, rows }, undefined, 2)}\n`);
}

try {
  if (options.data === undefined) throw new Error('--data DIR is missing: a folder with one sub-folder per set.');
  main(options.data);
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = 65;
}
