import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { kafkaVersion } from '@sluice/broker';
import { SluiceError } from '@sluice/domain';
import { cells } from './cells.ts';
import type { ChaosOptions } from './command.ts';
import { runCell, type CellResult } from './run-cell.ts';
import { renderTable } from './table.ts';

export async function runChaos(options: ChaosOptions): Promise<void> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const results: CellResult[] = [];
  for (const cell of chosen(options.cell)) {
    const result = await runCell(cell, { ...options, onStep: print });
    results.push(result);
    const refusals = Object.entries(result.refusals).map(([code, count]) => `\n  ${count} x ${code}`);
    print(
      `${result.passed ? 'passed' : 'FAILED'} ${cell.name}${refusals.join('')}${result.findings.map((finding) => `\n  ${finding}`).join('')}`,
    );
  }
  print(`\n${renderTable(results)}`);
  const machine = `${cpus().length} x ${cpus()[0]!.model.trim()}`;
  const versions = { node: process.version, kafka: kafkaVersion };
  if (options.out) await writeFile(options.out, `${JSON.stringify({ options, machine, versions, results }, null, 2)}\n`);
  const failed = results.filter(({ passed }) => !passed).map(({ cell }) => cell);
  if (failed.length > 0) throw new SluiceError('SLUICE_JUDGE_FAILED', `these cells broke a promise: ${failed.join(', ')}`);
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
