import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openServer, type BackendChoice, type ModelServer } from '@sluice/serving';
import { openAlone, openRaw, type Kind, type TestModel } from '@sluice/serving/testing';
import { median } from '../statistics.ts';
import { openOnnxPeers, type loadOnnxRuntime, type Peer } from './onnx-peer.ts';

/** One cell: a model at a batch, raw, through the worker path on each executor, and in other runtimes. */
export interface Cell {
  readonly model: Kind;
  readonly batch: number;
  /** CPU microseconds an event of a warmed `predict` on WebAssembly over ready rows. */
  readonly raw: number;
  /** The chosen executor over ready rows in the calling thread: what to hold other runtimes against. */
  readonly alone: Timed & { readonly executor: string };
  readonly paths: readonly Path[];
  /** Other runtimes over ready rows. */
  readonly peers: readonly (Timed & { readonly name: string; readonly apart: number })[];
}

/** Microseconds an event: CPU of the whole process and of those that it serves from, and on the clock. */
interface Timed {
  readonly cpu: number;
  readonly wall: number;
}

export interface Path extends Timed {
  readonly backend: BackendChoice;
  /** What runs: for `auto` what calibration took. */
  readonly executor: string;
  /** Microseconds an event on the clock, round by round: rounds of paths stand side by side, so that two are compared within each. */
  readonly walls: readonly number[];
  /** Delay of the calling thread's event loop, 99th percentile, milliseconds. */
  readonly delay: number;
}

export interface CellSpec {
  readonly kind: Kind;
  readonly batch: number;
  /** ONNX Runtime, where it is to take part. */
  readonly onnx: ReturnType<typeof loadOnnxRuntime> | undefined;
}

export const matrixRounds = 7;
/** More for what is chosen and whatever may be faster: seven rounds on a busy machine tell them apart no better than by a third. */
export const matrixNearRounds = 24;
const nearTo = 1.6;
const warmRounds = 1;
export const matrixRoundMs = 150;

/** Something that runs batches, and what was measured of it round by round. */
interface Contender {
  readonly events: number;
  ready?(): Promise<void>;
  step(): Promise<unknown>;
  /** CPU microseconds so far of processes that work for it; left out: there are none. */
  elsewhere?(): Promise<number>;
  readonly cpu: number[];
  readonly wall: number[];
  readonly delay: number[];
}

/** Measures raw, the executor alone, all paths and all peers in turn, round by round, so that a busy neighbour meets all of them. */
export async function measureCell(model: TestModel, { kind, batch, onnx }: CellSpec): Promise<Cell> {
  const values = Array.from({ length: batch }, (_, i) => model.value(model.row(i)));
  const rows = Float32Array.from(values.flatMap((_, i) => [...model.row(i)]));
  const peers = onnx ? await openOnnxPeers(onnx, model) : [];
  const alone = await openAlone(model, batch);
  const raw = await openRaw(model, 'wasm');
  const servers = await openServers(model, batch);
  const inThread = [raw, alone].map((each) =>
    contender(batch, { ready: () => each.ready(), step: () => Promise.resolve(each.run(rows, batch)) }),
  );
  const others = peers.map((peer) => contender(batch, { step: () => peer.run(rows, batch) }));
  // Four calls at a time: one in the thread, one behind it, two arriving, as from a pipe that reads ahead.
  const paths = servers.map(({ server }) =>
    contender(4 * batch, {
      step: () => Promise.all(Array.from({ length: 4 }, () => server.infer(values))),
      elsewhere: () => cpuElsewhere(server),
    }),
  );
  for (let round = -warmRounds; round < matrixRounds; round++)
    for (const each of [...inThread, ...others, ...paths]) await oneRound(each, round >= 0);
  const near = nearlyBest(servers, paths);
  for (let round = 0; round < matrixNearRounds; round++) for (const each of near) await oneRound(each, true);
  await close({ raw, alone, servers, peers });
  return {
    ...{ model: kind, batch, raw: figures(inThread[0]!).cpu },
    alone: { executor: alone.name, ...figures(inThread[1]!) },
    paths: servers.map(({ backend, server }, i) => ({
      ...{ backend, executor: server.backend.name, delay: median(paths[i]!.delay), walls: paths[i]!.wall, ...figures(paths[i]!) },
    })),
    peers: peers.map(({ name, apart }, i) => ({ name, apart, ...figures(others[i]!) })),
  };
}

/** The chosen path, and the fixed ones that take at most `nearTo` times as long as the fastest of them. */
function nearlyBest(servers: readonly Served[], paths: readonly Contender[]): Contender[] {
  const walls = paths.map(({ wall }) => median(wall));
  const best = Math.min(...walls.filter((_, i) => servers[i]!.backend !== 'auto'));
  return paths.filter((_, i) => servers[i]!.backend === 'auto' || walls[i]! <= nearTo * best);
}

function contender(events: number, how: Pick<Contender, 'ready' | 'step' | 'elsewhere'>): Contender {
  return { events, ...how, cpu: [], wall: [], delay: [] };
}

const figures = ({ cpu, wall }: Contender): Timed => ({ cpu: median(cpu), wall: median(wall) });

/** CPU microseconds of the processes that a server runs its model in; 0 where it runs in threads, which this process counts already. */
export async function cpuElsewhere(server: ModelServer): Promise<number> {
  return (await server.stats()).reduce((sum, { processMicros = 0 }) => sum + processMicros, 0);
}

type Served = { readonly backend: BackendChoice; readonly server: ModelServer };

/** What does not load, or cannot run this model, takes no part. */
async function openServers(model: TestModel, batch: number): Promise<Served[]> {
  const servers: Served[] = [];
  for (const backend of ['auto', 'compiled', 'wasm', 'native', 'frozen', 'webgpu'] as const) {
    const server = await openServer({ dir: model.dir, schemas: [model.schema], backend, maxBatch: batch, calibration: 120 }).catch(
      () => undefined,
    );
    if (server) servers.push({ backend, server });
  }
  return servers;
}

async function close(all: {
  readonly raw: { dispose(): void };
  readonly alone: { dispose(): void };
  readonly servers: readonly Served[];
  readonly peers: readonly Peer[];
}): Promise<void> {
  all.raw.dispose();
  all.alone.dispose();
  await Promise.all([...all.servers.map(({ server }) => server.close()), ...all.peers.map((peer) => peer.close())]);
}

async function oneRound(each: Contender, counts: boolean): Promise<void> {
  await each.ready?.();
  const elsewhere = (await each.elsewhere?.()) ?? 0;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const [start, before] = [performance.now(), process.cpuUsage()];
  let done = 0;
  do {
    await each.step();
    done += each.events;
  } while (performance.now() - start < matrixRoundMs);
  const { user, system } = process.cpuUsage(before);
  const wall = performance.now() - start;
  delay.disable();
  if (!counts) return;
  each.cpu.push((user + system + ((await each.elsewhere?.()) ?? 0) - elsewhere) / done);
  each.wall.push((wall * 1000) / done);
  each.delay.push(delay.percentile(99) / 1e6);
}
