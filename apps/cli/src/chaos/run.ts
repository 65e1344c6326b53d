import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { kafkaVersion } from '@sluice/broker';
import { SluiceError } from '@sluice/domain';
import { cells } from './cells.ts';
import type { ChaosOptions } from './command.ts';
import { Arena } from './arena.ts';
import { runCell, type CellResult } from './run-cell.ts';
import { renderTable } from './table.ts';

export async function runChaos(options: ChaosOptions): Promise<void> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const results: CellResult[] = [];
  const failed: string[] = [];
  const arena = new Arena(print);
  try {
    for (const cell of chosen(options.cell)) {
      const { name } = cell;
      try {
        const result = await runCell(cell, arena, { ...options, onStep: print });
        results.push(result);
        if (!result.passed) failed.push(name);
        print(said(result));
        await keep(options, results);
      } catch (thrown) {
        // Hours of the other cells do not go with it.
        failed.push(name);
        print(`FAILED ${name}\n  ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
    }
  } finally {
    await arena.close();
  }
  print(`\n${renderTable(results)}`);
  if (failed.length > 0) throw new SluiceError('SLUICE_JUDGE_FAILED', `these cells broke a promise: ${failed.join(', ')}`);
}

async function keep(options: ChaosOptions, results: readonly CellResult[]): Promise<void> {
  if (options.out === undefined) return;
  const machine = `${cpus().length} x ${cpus()[0]!.model.trim()}`;
  const versions = { node: process.version, kafka: kafkaVersion };
  await writeFile(options.out, `${JSON.stringify({ options, machine, versions, results }, null, 2)}\n`);
}

function said({ cell, passed, refusals, findings, peakMb }: CellResult): string {
  const counts = Object.entries(refusals).map(([code, count]) => `${count} x ${code}`);
  const memory = Object.entries(peakMb).map(([app, { first, second }]) => `${app} ${first} then ${second}`);
  const inMb = `MiB in the first half and after: ${memory.join(', ')}`;
  return [`${passed ? 'passed' : 'FAILED'} ${cell}`, ...counts, inMb, ...findings].join('\n  ');
}

function chosen(names: string) {
  if (names === 'all') return cells;
  return names.split(',').map((name) => {
    const cell = cells.find((one) => one.name === name);
    if (cell === undefined)
      throw new SluiceError('SLUICE_CONFIG_INVALID', `no cell is called ${name}; known: ${cells.map((one) => one.name).join(', ')}`);
    return cell;
  });
}
