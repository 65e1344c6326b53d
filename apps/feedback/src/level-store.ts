import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { SluiceError } from '@sluice/domain';
import type { JoinChange, JoinStore } from '@sluice/learning';

/**
 * The join's entries of one partition on disk. The changelog topic is the truth: the store starts empty and is filled
 * from it, so it needs no sync to disk, and a lost or damaged folder loses nothing.
 */
export class LevelStore implements JoinStore {
  readonly #level: ClassicLevel<string, Uint8Array>;
  readonly #folder: string;

  private constructor(level: ClassicLevel<string, Uint8Array>, folder: string) {
    this.#level = level;
    this.#folder = folder;
  }

  /** @throws SluiceError SLUICE_STATE_FAILED, as every method does that touches the disk. */
  static async open(stateDir: string, name: string): Promise<LevelStore> {
    const folder = join(stateDir, name);
    const level = await onDisk(folder, async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      // Not before the folder is empty: a level opens by itself as soon as it is made.
      const fresh = new ClassicLevel<string, Uint8Array>(folder, { keyEncoding: 'utf8', valueEncoding: 'view' });
      await fresh.open();
      return fresh;
    });
    return new LevelStore(level, folder);
  }

  get(key: string): Uint8Array | undefined {
    return this.#level.getSync(key);
  }

  async apply(changes: readonly JoinChange[]): Promise<void> {
    const batch = changes.map(([key, value]) => (value === null ? { type: 'del' as const, key } : { type: 'put' as const, key, value }));
    await onDisk(this.#folder, () => this.#level.batch(batch));
  }

  entries(): AsyncIterable<readonly [string, Uint8Array]> {
    return this.#level.iterator();
  }

  async close(): Promise<void> {
    await this.#level.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function onDisk<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new SluiceError('SLUICE_STATE_FAILED', `the store in ${folder} cannot be used`, { cause });
  }
}
