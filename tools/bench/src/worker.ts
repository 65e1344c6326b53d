/**
 * What the worker path costs above the model itself: CPU per event of copy, decode, batch, infer and answer, against a raw warmed
 * `predict` over ready rows at the same batch on the same backend, in one interleaved run. Prints a table; asserts nothing.
 *
 * `--matrix` measures every executor that loads, at batches of 1, 8, 32 and 128, for four shapes of model instead; `--out FILE` keeps it;
 * `--peers DIR` measures onnxruntime-node beside them, where it is installed in DIR. `--swap` measures what a change of version adds to the
 * latency of calls under load; `--kafka` (needs Java) the whole worker between two topics of a broker, against a bare transactional copy; `--soak MINUTES` (0, the default, is off) whether memory stays where it is.
 *
 * Run: npm run bench -- worker [--matrix [--peers DIR] [--out FILE] | --swap | --kafka [--events N] [--rounds N] [--slice N]] [--soak MINUTES]
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openServer, type BackendChoice, type InferValue, type ModelServer } from '@sluice/serving';
import { makeModel, openRaw, type Kind, type RawPredict, type TestModel } from '@sluice/serving/testing';
import { optionsOf } from './options.ts';
import { measureKafka } from './worker/kafka.ts';
import { matrixRows, peerRows, worstChoice } from './worker/matrix-table.ts';
import { median } from './statistics.ts';
import { cpuElsewhere, matrixNearRounds, matrixRoundMs, matrixRounds, measureCell, type Cell } from './worker/matrix.ts';
import { loadOnnxRuntime } from './worker/onnx-peer.ts';
import { soak } from './worker/soak.ts';
import { measureSwaps } from './worker/swap.ts';

const options = optionsOf('worker', {
  matrix: { type: 'boolean', default: false },
  swap: { type: 'boolean', default: false },
  kafka: { type: 'boolean', default: false },
  events: { type: 'string', default: '120000' },
  rounds: { type: 'string', default: '3' },
  slice: { type: 'string', default: '1000' },
  peers: { type: 'string' },
  soak: { type: 'string', default: '0' },
  out: { type: 'string' },
});

const rounds = 9;
const roundMs = 250;
/** WebAssembly gets its fast code only after a second or two of work, in every thread anew. */
const warmRounds = 6;
/** The batch at which each model is compared: dense ones with full batches, the CNN where it gains no more. */
const cases: readonly { kind: Kind; batch: number }[] = [
  { kind: 'logistic', batch: 128 },
  { kind: 'mlp', batch: 128 },
  { kind: 'cnn', batch: 32 },
];

interface Figures {
  readonly rawCpu: number[];
  readonly cpu: number[];
  readonly perSecond: number[];
  readonly singlePerSecond: number[];
  readonly delays: { readonly p50: number; readonly p99: number }[];
}

/** Runs `step` until the round is over. Returns CPU microseconds of the whole process and of those `elsewhere`, and milliseconds, per event. */
async function measure(
  events: number,
  step: () => Promise<unknown> | void,
  elsewhere: () => Promise<number> = async () => 0,
): Promise<{ cpu: number; perSecond: number }> {
  const others = await elsewhere();
  const [start, before] = [performance.now(), process.cpuUsage()];
  let done = 0;
  do {
    await step();
    done += events;
  } while (performance.now() - start < roundMs);
  const { user, system } = process.cpuUsage(before);
  const perSecond = (done / (performance.now() - start)) * 1000;
  return { cpu: (user + system + (await elsewhere()) - others) / done, perSecond };
}

async function compare(model: TestModel, batch: number, backend: BackendChoice): Promise<Figures & { name: string }> {
  const values = Array.from({ length: batch }, (_, i) => model.value(model.row(i)));
  const rows = Float32Array.from(values.flatMap((_, i) => [...model.row(i)]));
  const raw = await openRaw(model, 'wasm');
  const server = await openServer({ dir: model.dir, schemas: [model.schema], backend, maxBatch: batch });
  const single = await openServer({ dir: model.dir, schemas: [model.schema], backend, maxBatch: 1 });
  const figures: Figures = { rawCpu: [], cpu: [], perSecond: [], singlePerSecond: [], delays: [] };
  for (let round = -warmRounds; round < rounds; round++)
    await oneRound({ raw, server, single, values, rows, batch }, round < 0 ? undefined : figures);
  await Promise.all([server.close(), single.close()]);
  raw.dispose();
  return { ...figures, name: server.backend.name };
}

interface Round {
  readonly raw: RawPredict;
  readonly server: ModelServer;
  readonly single: ModelServer;
  readonly values: readonly InferValue[];
  readonly rows: Float32Array;
  readonly batch: number;
}

/** Raw, worker path and batches of one in turn, so that a busy neighbour meets all three; the first rounds only warm up. */
async function oneRound({ raw, server, single, values, rows, batch }: Round, figures: Figures | undefined): Promise<void> {
  const alone = await measure(batch, () => void raw.run(rows, batch));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // Four calls at a time: one in the thread, one behind it, two arriving, as from a pipe that reads ahead.
  const calls = (): Promise<unknown> => Promise.all(Array.from({ length: 4 }, () => server.infer(values)));
  const path = await measure(4 * batch, calls, () => cpuElsewhere(server));
  delay.disable();
  const ones = await measure(batch, () => single.infer(values));
  figures?.rawCpu.push(alone.cpu);
  figures?.cpu.push(path.cpu);
  figures?.perSecond.push(path.perSecond);
  figures?.singlePerSecond.push(ones.perSecond);
  figures?.delays.push({ p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6 });
}

/** One line of the table. */
async function line(
  root: string,
  { kind, batch }: (typeof cases)[number],
  backend: BackendChoice,
): Promise<Record<string, string | number>> {
  const { name, rawCpu, cpu, perSecond, singlePerSecond, delays } = await compare(await makeModel(kind, join(root, kind)), batch, backend);
  const third = Math.floor(rounds / 3);
  return {
    model: kind,
    batch,
    executor: name,
    'raw wasm us': Number(median(rawCpu).toFixed(2)),
    'path us': Number(median(cpu).toFixed(2)),
    ratio: Number((median(cpu) / median(rawCpu)).toFixed(2)),
    'drift %': Math.round(100 * (median(rawCpu.slice(-third)) / median(rawCpu.slice(0, third)) - 1)),
    'events/s': Math.round(median(perSecond)),
    'gain over 1': Number((median(perSecond) / median(singlePerSecond)).toFixed(1)),
    'loop p50 ms': Number(median(delays.map(({ p50 }) => p50)).toFixed(1)),
    'loop p99 ms': Number(median(delays.map(({ p99 }) => p99)).toFixed(1)),
  };
}

async function compareAll(root: string): Promise<void> {
  const table: Record<string, string | number>[] = [];
  for (const each of cases) {
    for (const backend of ['wasm', 'auto'] as const) table.push(await line(root, each, backend));
  }
  console.table(table);
}

async function matrix(root: string): Promise<void> {
  const { peers, out } = options;
  const onnx = peers === undefined ? undefined : loadOnnxRuntime(peers);
  const cells: Cell[] = [];
  for (const kind of ['logistic', 'mlp', 'cnn', 'deep'] as const) {
    const model = await makeModel(kind, join(root, kind));
    for (const batch of [1, 8, 32, 128]) {
      process.stderr.write(`${kind} at ${batch}\n`);
      cells.push(await measureCell(model, { kind, batch, onnx }));
    }
  }
  console.log(
    'CPU microseconds an event of the process and those it serves from (but that of WebGPU); `chosen / best` and `gain over 1` by the clock.',
  );
  console.table(matrixRows(cells));
  console.log(worstChoice(cells));
  if (onnx) {
    console.log(`Beside onnxruntime-node ${onnx.version}, the same networks over ready rows; where ours / its is above 1, ours loses.`);
    console.table(peerRows(cells));
  }
  if (out !== undefined) await writeFile(out, `${JSON.stringify(cells, null, 2)}\n`);
}

const rounded = (value: number): number => Number(value.toFixed(2));

/** A swap must not make the calls beside it wait for more than one batch longer than they do anyway. */
async function compareSwaps(root: string): Promise<void> {
  const table: Record<string, string | number>[] = [];
  for (const { kind, batch } of [...cases, { kind: 'deep', batch: 32 } as const]) {
    const model = await makeModel(kind, join(root, kind));
    for (const { calibration, swaps, calls, faults, quietP99, swapP99, oneBatch, ready } of await measureSwaps(model, batch, root)) {
      table.push({
        ...{ model: kind, batch, calibration, swaps, calls, faults, 'quiet p99 ms': rounded(quietP99), 'swap p99 ms': rounded(swapP99) },
        ...{ 'added p99 ms': rounded(swapP99 - quietP99), 'one batch ms': rounded(oneBatch), 'ready ms': Math.round(ready) },
      });
    }
  }
  console.table(table);
}

async function soakAll(root: string, minutes: number): Promise<void> {
  const [, mlp, cnn] = cases;
  // What is served from a process of its own holds most of its memory there.
  for (const { kind, batch, backend } of [
    { ...mlp!, backend: 'auto' },
    { ...cnn!, backend: 'auto' },
    { ...cnn!, backend: 'frozen' },
  ] as const) {
    const model = await makeModel(kind, join(root, kind));
    const server = await openServer({ dir: model.dir, schemas: [model.schema], maxBatch: batch, backend }).catch((error: unknown) => {
      if (backend === 'auto') throw error;
      console.log(`${kind} on ${backend}: ${String(error)}`);
    });
    if (!server) continue;
    const { executor, events, rss, most, tensors } = await soak(server, model, { batch, minutes });
    await server.close();
    console.log(
      `${kind} on ${executor}, ${minutes} min, ${events} events: RSS ${rss.join(' -> ')} MB, at most ${most.join(' and ')} in the two halves, tensors ${tensors.join(' -> ')}`,
    );
  }
}

async function compareOnKafka(root: string): Promise<void> {
  const [events, rounds, slice] = [Number(options.events), Number(options.rounds), Number(options.slice)];
  const measured = await measureKafka(root, { events, rounds, slice });
  const speeds = measured.map(({ outcomes }) => outcomes.map(({ ms }) => events / (ms / 1000)));
  console.log(`${events} images of 784 bytes, 27,562 parameters, slices of ${slice}, ${rounds} interleaved runs, one process each.`);
  console.log("For context: Crayfish printed 1,911 events/s for Kafka Streams with ONNX, one record a call, on its authors' machine.");
  console.table(
    measured.map(({ name, outcomes }, i) => ({
      contestant: name,
      'events/s': Math.round(median(speeds[i]!)),
      lowest: Math.round(Math.min(...speeds[i]!)),
      highest: Math.round(Math.max(...speeds[i]!)),
      'to the copy': rounded(median(speeds[i]!) / median(speeds[0]!)),
      'CPU us': rounded(median(outcomes.map(({ cpuMicros }) => cpuMicros))),
      'RSS MB': Math.round(median(outcomes.map(({ maxRssMb }) => maxRssMb))),
    })),
  );
}

async function run(root: string): Promise<void> {
  const minutes = Number(options.soak);
  if (options.matrix) await matrix(root);
  else if (options.swap) await compareSwaps(root);
  else if (options.kafka) await compareOnKafka(root);
  else if (minutes === 0) await compareAll(root);
  if (minutes > 0) await soakAll(root, minutes);
}

async function main(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const tfjs = JSON.parse(await readFile(new URL('../../../node_modules/@tensorflow/tfjs-core/package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  console.log(
    `${cpus().length} x ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, Node ${process.versions.node}, TensorFlow.js ${tfjs.version}`,
  );
  console.log(
    `Medians of ${options.matrix ? `${matrixRounds} rounds (of what comes near the best ${matrixRounds + matrixNearRounds}) of ${matrixRoundMs}` : `${rounds} rounds of ${roundMs}`} ms. CPU microseconds per event of the process and those it serves from; loop delay includes the timer's own 1 ms.`,
  );
  console.log('Where |drift| of raw exceeds 15 %, the machine was too busy for the line to mean much.');
  await run(root);
  await rm(root, { recursive: true });
}

await main();
