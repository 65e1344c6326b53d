/**
 * Replays logged answers of two services as a stream, through the code that serves and through four rivals, in four orders:
 * `npm run bench -- replay --data DIR [--sets COMMAND,YELP] [--seeds 5] [--out FILE] [--plots FOLDER]`. DIR holds one folder a set, laid out as FrugalML's
 * (Chen, Zaharia, Zou, NeurIPS 2020): `meta.csv`, `TrueLabel.txt.gz`, `Model<ID>_{PredictedLabel,Confidence}.txt.gz`.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { readFrugalmlSet } from './frugalml/data-set.ts';
import { optionsOf } from './options.ts';
import { contenderNotes } from './replay/contenders.ts';
import { orderNotes, orders } from './replay/orders.ts';
import { pairLogOf, type PairLog } from './replay/pair-log.ts';
import { plotsOf } from './replay/plots.ts';
import { setting } from './replay/setting.ts';
import { opening, startOf, startText, type Start } from './replay/start.ts';
import { cellsOf, cellText, type Cell } from './replay/table.ts';
import { svgOf } from './svg.ts';
import { missesOf } from './replay/targets.ts';

const options = optionsOf('replay', {
  data: { type: 'string' },
  sets: { type: 'string' },
  seeds: { type: 'string', default: '5' },
  out: { type: 'string' },
  plots: { type: 'string' },
});

function main(): void {
  const seeds = Number(options.seeds);
  if (options.data === undefined || !Number.isInteger(seeds) || seeds < 1) {
    refuse('--data DIR is missing (a folder with one sub-folder a set), or --seeds is not a positive whole number.');
    return;
  }
  const { maxLoss, truthDelay } = setting;
  const head = `declared loss ${100 * maxLoss} %, truth ${truthDelay} events late, seeds 1..${seeds}`;
  console.log(`${head}\nloss % (largest of the seeds) / worst 5,000 events % / cost in % of always-heavy, audits included\n`);
  const cells: Cell[] = [];
  const starts: Start[] = [];
  for (const log of logsOf(options.data)) {
    console.log(titleOf(log));
    if (options.plots !== undefined) plot(options.plots, log);
    for (const cell of cellsOf(log, seeds)) {
      console.log(cellText(cell));
      cells.push(cell);
    }
    const start = startOf(log, seeds);
    if (start !== undefined) starts.push(start);
  }
  if (cells.length === 0) {
    refuse(`${options.data} holds no folder with a meta.csv${options.sets === undefined ? '' : ` among ${options.sets}`}.`);
    return;
  }
  const misses = missesOf(cells);
  console.log(`\n${cells.length} cells; ${misses.length === 0 ? 'every target met' : `${misses.length} targets missed:`}`);
  for (const { set, order, target, found, allowed } of misses) {
    console.log(`  ${set} ${order}: ${target}: ${found.toFixed(2)} against ${allowed.toFixed(2)}`);
  }
  console.log(`\nbegun with a labelled sample of ${opening.sample} events that the stream does not hold, or without (iid):`);
  for (const start of starts) console.log(startText(start));
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
  console.log(`\norders: ${told(orderNotes)}\ncontenders: ${told(contenderNotes)}\nnode ${machine.node}, ${machine.cpus} x ${machine.cpu}`);
  if (options.out === undefined) return;
  const notes = { orders: orderNotes, contenders: contenderNotes };
  writeFileSync(
    options.out,
    `${JSON.stringify({ bench: 'replay', seeds, setting, machine, notes, cells, starts, misses }, undefined, 2)}\n`,
  );
}

function plot(folder: string, log: PairLog): void {
  mkdirSync(folder, { recursive: true });
  for (const order of orders) writeFileSync(join(folder, `replay-${log.name}-${order}.svg`.toLowerCase()), svgOf(plotsOf(log, order)));
}

/** The sets that were asked for, or every folder of the layout. @throws Error when one is not what it claims to be. */
function logsOf(directory: string): PairLog[] {
  const found = existsSync(directory) ? readdirSync(directory).filter((name) => existsSync(join(directory, name, 'meta.csv'))) : [];
  const wanted = options.sets?.split(',') ?? found.sort();
  const missing = wanted.filter((name) => !found.includes(name));
  if (missing.length > 0) throw new Error(`${directory} holds no set ${missing.join(', ')}; found: ${found.join(', ') || 'none'}`);
  return wanted.map((name) => pairLogOf(readFrugalmlSet(directory, name)!));
}

function titleOf({ name, light, heavy, truths }: PairLog): string {
  const percent = (share: number): string => (100 * share).toFixed(2);
  return `${name}: ${light.name} ${percent(light.accuracy)} % -> ${heavy.name} ${percent(heavy.accuracy)} %, ${truths.length} events`;
}

function told(notes: Readonly<Record<string, string>>): string {
  return Object.entries(notes)
    .map(([name, note]) => `${name} = ${note}`)
    .join('; ');
}

function refuse(why: string): void {
  console.error(why);
  process.exitCode = 65;
}

try {
  main();
} catch (thrown) {
  refuse(thrown instanceof Error ? thrown.message : String(thrown));
}
