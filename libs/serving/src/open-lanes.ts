import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nativeIdentity } from './native-package.ts';
import { calibrationKey } from './calibration-key.ts';
import type { CalibrationStore, Found } from './calibration-store.ts';
import type { Plan } from './calibrate.ts';
import type { Placement } from './host.ts';
import { ThreadLane } from './lane.ts';
import { messageOf } from './message.ts';
import { loadModel, type ModelFolder } from './model-folder.ts';
import { setNativeEnvironment } from './native-environment.ts';
import type { BackendChoice, ExecutorOptions } from './open-executor.ts';
import type { ExecutorFacts } from './protocol.ts';
import type { ServerOptions } from './server.ts';

export type KeptCalibration = Extract<Found, { kind: 'kept' }>;

export interface Lanes {
  readonly lanes: readonly ThreadLane[];
  readonly facts: ExecutorFacts;
}

/** How a model is opened when its server is opened with these options. */
export function executorOptions(
  { backend = 'auto', requireGpu = false, calibration = 200, maxBatch }: ServerOptions,
  { manifest }: ModelFolder,
): ExecutorOptions {
  return { backend, requireGpu, maxBatch: maxBatch ?? manifest.limits?.maxBatch ?? 128, calibration };
}

/** The first thread calibrates alone, undisturbed, unless what it would find is kept; the others take its plan. */
export async function openLanes(options: ServerOptions, folder: ModelFolder): Promise<Lanes> {
  setNativeEnvironment(process.env);
  const { limits } = folder.manifest;
  const data = { dir: options.dir, schemas: options.schemas, options: executorOptions(options, folder) };
  // A file to start with, a limit of memory or a number of threads is for threads.
  const apart = options.threadFile !== undefined || limits?.memoryMb !== undefined || (options.threads ?? 1) > 1;
  const laneWith: LaneWith = (timed) =>
    new ThreadLane({
      placement: options.placement ?? (timed && !apart && isQuick(timed, folder) ? 'inline' : placementOf(timed?.plan, data.options)),
      file: options.threadFile ?? threadFile(),
      timeout: options.timeout ?? limits?.timeoutMs ?? 10_000,
      openTimeout: options.openTimeout ?? 60_000,
      memoryMb: limits?.memoryMb,
      onLost: options.onLost,
      data: { ...data, plan: timed?.plan },
      folder,
    });
  const { lane, facts } = await openFirst(laneWith, options.calibrations && new Kept(options.calibrations, folder, data.options));
  const others = Array.from({ length: (options.threads ?? 1) - 1 }, () => laneWith(facts));
  const lanes = [lane, ...others];
  try {
    await Promise.all(others.map((other) => other.open()));
  } catch (error) {
    await Promise.all(lanes.map((each) => each.close()));
    throw error;
  }
  return { lanes, facts };
}

/** What the server that these options open would take without timing it; undefined when it would time it. */
export async function keptCalibration(
  options: ServerOptions & { readonly calibrations: CalibrationStore },
): Promise<KeptCalibration | undefined> {
  const folder = await loadModel(options.dir, options.schemas);
  setNativeEnvironment(process.env);
  const found = await new Kept(options.calibrations, folder, executorOptions(options, folder)).read();
  return found.kind === 'kept' ? found : undefined;
}

/** The place of one model's calibration in the store. */
class Kept {
  readonly #store: CalibrationStore;
  readonly #key: ReturnType<typeof calibrationKey>;

  constructor(store: CalibrationStore, { digest }: ModelFolder, options: ExecutorOptions) {
    this.#store = store;
    this.#key = calibrationKey(digest, options);
  }

  /** With a GPU asked for, nothing but a look says whether it is still there. */
  async read(): Promise<Found> {
    return this.#key.options.requireGpu ? { kind: 'none', note: '' } : this.#store.read(this.#key);
  }

  write(facts: ExecutorFacts): Promise<string> {
    return this.#store.write(this.#key, facts);
  }
}

/** What calibration came to, where it is known. */
type Taken = Pick<ExecutorFacts, 'plan' | 'timings'>;
type LaneWith = (timed: Taken | undefined) => ThreadLane;

/** Microseconds of a full batch, and bytes of text in a row, up to which a model needs no thread: waking one takes about as long. */
const quick = { micros: 200, textBytes: 256 } as const;

/** Whether a batch keeps the thread that asks for it about as long as handing it over would; compiled code can neither hang nor eat memory. */
function isQuick({ plan, timings }: Taken, { manifest }: ModelFolder): boolean {
  const decodesQuickly = manifest.input.features.every(
    (feature) => feature.kind !== 'image' && (feature.kind !== 'text' || feature.maxBytes <= quick.textBytes),
  );
  return plan.tensor === undefined && decodesQuickly && timings.at(-1)!.micros <= quick.micros;
}

type Opened = { readonly lane: ThreadLane; readonly facts: ExecutorFacts };

async function openFirst(laneWith: LaneWith, kept: Kept | undefined): Promise<Opened> {
  const found: Found = (await kept?.read()) ?? { kind: 'none', note: '' };
  const taken = found.kind === 'kept' ? await openAsKept(laneWith, found) : found.note;
  if (typeof taken !== 'string') return taken;
  const { lane, facts } = await openTimed(laneWith);
  const unkept = (await kept?.write(facts)) ?? '';
  return { lane, facts: { ...facts, why: [facts.why, taken, unkept].filter((part) => part !== '').join('; ') } };
}

/** Where every executor was timed in a thread or process that the one taken does not need, it ends, and its memory with it. */
async function openTimed(laneWith: LaneWith): Promise<Opened> {
  const lane = laneWith(undefined);
  const facts = await lane.open();
  const lasting = laneWith(facts);
  if (lasting.placement === lane.placement) return { lane, facts };
  await lane.close();
  await lasting.open();
  return { lane: lasting, facts };
}

/** A process for what loads TensorFlow's native library: it never gives memory back. Without a plan every executor is tried. */
function placementOf(plan: Plan | undefined, { backend, requireGpu }: ExecutorOptions): Placement {
  const native: readonly (BackendChoice | undefined)[] = ['native', 'frozen'];
  const loads = plan ? native.includes(plan.tensor) : requireGpu || [...native, 'auto'].includes(backend);
  return loads && nativeIdentity() !== 'none' ? 'process' : 'thread';
}

/** @returns in words why what was kept does not hold here any more. */
async function openAsKept(laneWith: LaneWith, { at, path, calibration }: KeptCalibration): Promise<Opened | string> {
  const lane = laneWith(calibration);
  try {
    const { gpu } = await lane.open();
    const since = `timed ${new Date(at).toISOString()} and kept in ${path}`;
    if (gpu === calibration.gpu) return { lane, facts: { ...calibration, why: `${calibration.why}; ${since}` } };
    await lane.close();
    return `${path} was measured ${calibration.gpu ? 'on' : 'without'} a GPU and is passed over`;
  } catch (thrown) {
    return `${path} does not hold any more (${messageOf(thrown)})`;
  }
}

/** Beside this module, with its extension: `.ts` in sources, `.js` or `.mjs` in a bundle. */
function threadFile(): URL {
  return new URL(`./inference-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
}
