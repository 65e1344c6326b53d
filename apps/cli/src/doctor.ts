import { Command } from 'commander';
import { surveyExecutors } from '@sluice/serving/examine';
import { table } from './models/tables.ts';

/** `sluice doctor`: which executors can run models here, on which device, and why the others cannot. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Says which executors can run models on this machine, on which device, and why the others cannot.')
    .action(async () => void process.stdout.write(`${await diagnosis()}\n`));
}

export async function diagnosis(): Promise<string> {
  const surveyed = await surveyExecutors();
  const rows = surveyed.map(({ executor, loads, device, note }) => [executor, loads ? 'loads' : '-', device, note]);
  const native = surveyed.find(({ executor }) => executor === 'native')!;
  const advice = native.loads ? [] : ['', '`npm run setup:native` builds the native binding: several times faster on convolutions.'];
  return [
    `Node ${process.versions.node} on ${process.platform} ${process.arch}`,
    table(['executor', '', 'device', ''], rows),
    ...advice,
  ].join('\n');
}
