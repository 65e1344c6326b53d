/**
 * Cost of one routing decision: signature, rules, decision, tag and stop rule, apart and together, for records of 10, 30 and 100 fields and
 * 2, 3 and 6 tiers. Runs are interleaved (every part once per round), so that a change in the machine's speed hits all parts alike; printed are
 * the medians over rounds of each round's quantiles, and the bytes that one call allocates.
 *
 * Run: npm run bench -- decide [--fields 10,30,100] [--tiers 2,3,6] [--rounds 5] [--events 20000] [--seed 1] [--out FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { bytesOf, checkSink, timeOf, type Quantiles } from './decide/measure.ts';
import { partNames, partNotes, partsOf, type PartName } from './decide/parts.ts';
import { workloadOf, type Size } from './decide/workload.ts';
import { misused, optionsOf } from './options.ts';
import { median } from './statistics.ts';

const options = optionsOf('decide', {
  fields: { type: 'string', default: '10,30,100' },
  tiers: { type: 'string', default: '2,3,6' },
  rounds: { type: 'string', default: '5' },
  events: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
  out: { type: 'string' },
});

interface Row extends Quantiles {
  readonly fields: number;
  readonly tiers: number;
  readonly part: PartName;
  readonly bytes: number;
}

const [rounds, events, seed] = [Number(options.rounds), Number(options.events), Number(options.seed)];
const lists = [options.fields, options.tiers].map((text) => text.split(',').map(Number));
const [fieldCounts, tierCounts] = lists as [number[], number[]];
if (
  ![rounds, seed].every((one) => Number.isInteger(one) && one > 0) ||
  !(events >= 1000) ||
  !fieldCounts.every((one) => one >= 5 && one <= 1000) ||
  !tierCounts.every((one) => one >= 2 && one <= 8)
) {
  console.error('--rounds and --seed are positive whole numbers, --events is at least 1000, --fields 5 to 1000, --tiers 2 to 8.');
  process.exitCode = misused;
} else {
  main();
}

function main(): void {
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    load: Number(loadavg()[0]!.toFixed(1)),
  };
  console.log(`node ${machine.node}, ${machine.cpus} x ${machine.cpu}, load ${machine.load} at start, seed ${seed}`);
  console.log(`medians of ${rounds} interleaved rounds of ${events} events; microseconds, and bytes allocated by one call\n`);
  const rows = fieldCounts.flatMap((fields) => tierCounts.flatMap((tiers) => measure({ fields, tiers, seed })));
  checkSink();
  console.log(`\n${Object.entries(partNotes).map(([name, note]) => `${name}: ${note}`).join('; ')}`); // prettier-ignore
  if (options.out !== undefined) {
    const settings = { rounds, events, seed };
    writeFileSync(options.out, `${JSON.stringify({ bench: 'decide', machine, settings, notes: partNotes, rows }, undefined, 2)}\n`);
  }
}

function measure(size: Size): Row[] {
  const workload = workloadOf(size);
  const parts = partsOf(workload);
  const kept = new Map(partNames.map((name) => [name, [] as Quantiles[]]));
  for (const name of partNames) timeOf(parts[name], events, workload.values.length);
  for (let round = 0; round < rounds; round++) {
    for (const name of partNames) kept.get(name)!.push(timeOf(parts[name], events, workload.values.length));
  }
  console.log(`${size.fields} fields, ${size.tiers} tiers`);
  return partNames.map((part) => {
    const quantile = (name: keyof Quantiles): number => median(kept.get(part)!.map((one) => one[name]));
    const bytes = Math.round(bytesOf(parts[part]));
    const row = { ...size, part, p50: quantile('p50'), p99: quantile('p99'), p999: quantile('p999'), bytes };
    console.log(textOf(row));
    return row;
  });
}

function textOf({ part, p50, p99, p999, bytes }: Row): string {
  const cell = (label: string, value: number): string => `${label} ${value.toFixed(2).padStart(7)}`;
  return `  ${part.padEnd(22)} ${cell('p50', p50)}  ${cell('p99', p99)}  ${cell('p99.9', p999)}  ${String(bytes).padStart(6)} bytes`;
}
