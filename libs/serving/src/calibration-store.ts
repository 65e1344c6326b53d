import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CalibrationKey } from './calibration-key.ts';
import { messageOf } from './message.ts';
import type { ExecutorFacts } from './protocol.ts';
import { sha256 } from './write-model.ts';

const timings = z.array(z.strictObject({ n: z.int().min(1), micros: z.number().positive() })).min(1);

const calibration = z.strictObject({
  name: z.string().min(1),
  gpu: z.boolean(),
  why: z.string(),
  timings,
  table: z.array(z.strictObject({ executor: z.string().min(1), timings })).min(1),
  plan: z.strictObject({
    tensor: z.enum(['wasm', 'native', 'frozen', 'webgpu', 'cpu']).optional(),
    compiledUpTo: z.int().min(0),
  }),
});

/** What timing a model came to: the times of every executor, which of them runs which batches, and why. */
export type Calibration = z.infer<typeof calibration>;

const keptSchema = z.strictObject({ at: z.number(), key: z.record(z.string(), z.unknown()), calibration });

/** A calibration that was found, or the reason why there is none to use. */
export type Found =
  | { readonly kind: 'kept'; readonly at: number; readonly path: string; readonly calibration: Calibration }
  | { readonly kind: 'none'; readonly note: string };

export interface CalibrationStoreOptions {
  readonly folder: string;
  /** true: whatever is kept is measured anew and replaced. */
  readonly anew?: boolean;
  /** Milliseconds since 1970. Default: the clock of the machine. */
  readonly now?: () => number;
}

/** A model may have been timed while a neighbour was busy: after a week it is timed again. */
const oldest = 7 * 24 * 3_600_000;
/** Files of two to three kilobytes; the oldest leave. */
const most = 256;

/**
 * Calibrations by everything they depend on, each in a file of its own, so that the processes of a machine need no lock. What is
 * kept only ever saves time: a file that is damaged, of another form or too old is passed over with a word, and written anew.
 */
export class CalibrationStore {
  readonly #folder: string;
  readonly #anew: boolean;
  readonly #now: () => number;

  constructor({ folder, anew = false, now = Date.now }: CalibrationStoreOptions) {
    this.#folder = folder;
    this.#anew = anew;
    this.#now = now;
  }

  async read(key: CalibrationKey): Promise<Found> {
    if (this.#anew) return { kind: 'none', note: '' };
    const path = this.#path(key);
    try {
      const { at, calibration } = keptSchema.parse(JSON.parse(await readFile(path, 'utf8')));
      if (at > this.#now() - oldest) return { kind: 'kept', at, path, calibration };
      return { kind: 'none', note: `${path} is older than a week` };
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code === 'ENOENT') return { kind: 'none', note: '' };
      return { kind: 'none', note: `${path} is no calibration and is passed over` };
    }
  }

  /** Keeps a calibration, whole or not at all. Never throws. @returns why it could not be kept; empty when it was. */
  async write(key: CalibrationKey, value: ExecutorFacts): Promise<string> {
    const path = this.#path(key);
    const part = `${path}.${process.pid}.part`;
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(part, `${JSON.stringify({ at: this.#now(), key, calibration: value }, null, 2)}\n`);
      await rename(part, path);
      await this.#bound();
      return '';
    } catch (thrown) {
      return `not kept: ${messageOf(thrown)}`;
    }
  }

  #path(key: CalibrationKey): string {
    return join(this.#folder, `${sha256(Buffer.from(JSON.stringify(key))).slice(0, 32)}.json`);
  }

  /** Another process may delete the same file at the same time. */
  async #bound(): Promise<void> {
    const paths = (await readdir(this.#folder)).map((name) => join(this.#folder, name));
    if (paths.length <= most) return;
    const aged = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })));
    aged.sort((a, b) => b.at - a.at);
    await Promise.all(aged.slice(most).map(({ path }) => rm(path, { force: true })));
  }
}
