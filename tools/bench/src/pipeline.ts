/**
 * The whole flow, request to prediction: as many events a second as it takes, then the latency at a share of that, in pairs of runs of the demo (`npm start`),
 * each with a broker, router, workers, feedback and judge of its own. Prints a table; asserts nothing.
 *
 * Run: npm run bench -- pipeline [--flow mail] [--data DIR] [--events 20000] [--rounds 3] [--load 0.6] [--out FILE]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { machineOf } from './machine.ts';
import { misused, optionsOf } from './options.ts';
import { median } from './statistics.ts';

const options = optionsOf('pipeline', {
  flow: { type: 'string', default: 'mail' },
  data: { type: 'string' },
  events: { type: 'string', default: '20000' },
  rounds: { type: 'string', default: '3' },
  load: { type: 'string', default: '0.6' },
  out: { type: 'string' },
});
const [events, rounds, load] = [Number(options.events), Number(options.rounds), Number(options.load)];

/** What the table takes from the report of a run (docs/reference/report.schema.json). */
interface Report {
  readonly throughputPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly apps: Readonly<Record<string, { readonly rssMb: number; readonly cpuSeconds: number }>>;
  readonly broker: { readonly kind: string; readonly version: string };
}

const out: string[] = [];
if (![events, rounds].every((one) => Number.isInteger(one) && one > 0) || !(load > 0 && load <= 1)) {
  console.error('--events and --rounds are positive whole numbers, --load lies between 0 and 1.');
  process.exitCode = misused;
} else {
  await main();
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-pipeline-'));
  const { cpu, cpus, memoryGb, node } = machineOf();
  say(`${cpus} x ${cpu}, ${memoryGb} GB, load ${loadavg()[0]!.toFixed(1)} at start, Node ${node}`);
  const [full, paced]: [Report[], Report[]] = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      const fastest = await play('max', folder);
      full.push(fastest);
      paced.push(await play(String(Math.max(1, Math.floor(load * fastest.throughputPerSecond))), folder));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const { kind, version } = full[0]!.broker;
  say(
    `flow ${options.flow}, ${events} requests a run, broker ${kind} ${version} on the same machine, medians of ${rounds} pairs of runs (lowest - highest)`,
  );
  say(
    '',
    '| load | events/s | p50 ms | p99 ms | CPU us per event, apps | the same, broker | largest RSS MB of an app |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  );
  say(rowOf('all it takes', full), rowOf(`${100 * load} %`, paced));
  if (options.out !== undefined) await writeFile(options.out, out.join('\n') + '\n');
}

/** One run of the demo; its own output goes to the error stream. */
async function play(rate: string, folder: string): Promise<Report> {
  const report = join(folder, 'report.json');
  const args = ['--flow', options.flow, '--events', String(events), '--rate', rate, '--report', report];
  if (options.data !== undefined) args.push('--data', options.data);
  const running = promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../../apps/cli/src/main.ts'), 'demo', ...args]);
  running.child.stderr?.pipe(process.stderr);
  await running;
  const read = JSON.parse(await readFile(report, 'utf8')) as Report;
  console.error(`rate ${rate}: ${read.throughputPerSecond} events/s, p50 ${read.latencyMs.p50} ms, p99 ${read.latencyMs.p99} ms`);
  return read;
}

function rowOf(name: string, reports: readonly Report[]): string {
  const cpuOf = (counts: (app: string) => boolean) => (report: Report) => {
    const seconds = Object.entries(report.apps).filter(([app]) => counts(app)).reduce((sum, [, { cpuSeconds }]) => sum + cpuSeconds, 0); // prettier-ignore
    return Math.round((1e6 * seconds) / events);
  };
  const cells = [
    ({ throughputPerSecond }: Report) => Math.round(throughputPerSecond),
    ({ latencyMs }: Report) => latencyMs.p50,
    ({ latencyMs }: Report) => latencyMs.p99,
    cpuOf((app) => app !== 'broker'),
    cpuOf((app) => app === 'broker'),
    ({ apps }: Report) => Math.max(...Object.entries(apps).map(([app, { rssMb }]) => (app === 'broker' ? 0 : rssMb))),
  ].map((figure) => {
    const values = reports.map(figure);
    return `${median(values)} (${Math.min(...values)} - ${Math.max(...values)})`;
  });
  return `| ${[name, ...cells].join(' | ')} |`;
}

function say(...lines: string[]): void {
  for (const line of lines) console.log(line);
  out.push(...lines);
}
