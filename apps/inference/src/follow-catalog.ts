import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogTopic, decodeCatalogEntry } from '@sluice/contracts';
import { SluiceError, toSluiceError, type CatalogEntry, type Health } from '@sluice/domain';
import type { LeftVersion, ServedModel } from '@sluice/serving';
import type { Bus, Table } from '@sluice/streaming';

/** What became of a version that the catalog named. */
export interface VersionChange {
  readonly model: string;
  readonly version: string;
  /** Why it was refused; the former version then goes on. */
  readonly refused?: SluiceError;
  /** Where it had been taken up and was left again: the version that serves once more. */
  readonly backTo?: string;
}

/** A version of the catalog that is not served. */
export type RefusedVersion = VersionChange & Required<Pick<VersionChange, 'refused'>>;

export interface FollowOptions {
  readonly bus: Bus;
  /** Folder of all models. */
  readonly models: string;
  /** Health records of workers that took a version up and left it again: it is not tried before the catalog names one anew. */
  readonly left?: readonly Health[];
  readonly onVersion?: (change: VersionChange) => void;
}

/**
 * Keeps models at the version that the catalog names: at once for those that are there when a model is taken up, later at each
 * change. A version that does not load, or is not the one that was added, is refused and told; it never ends the worker. One that was
 * left again, since it failed, is not tried again until the catalog changes, by this worker or by one that starts anew.
 */
export class CatalogFollower {
  readonly #options: FollowOptions;
  readonly #followed = new Map<string, ServedModel[]>();
  readonly #refused = new Map<ServedModel, RefusedVersion>();
  #table: Table<CatalogEntry> | undefined;
  #changes: Promise<void> = Promise.resolve();

  private constructor(options: FollowOptions) {
    this.#options = options;
  }

  static async open(options: FollowOptions): Promise<CatalogFollower> {
    const follower = new CatalogFollower(options);
    follower.#table = await options.bus.openTable({
      topic: catalogTopic,
      decode: decodeCatalogEntry,
      onChange: (model, entry) => follower.#changed(model, entry),
    });
    return follower;
  }

  /** Resolves when the model serves the version of the catalog, or that version was refused. */
  async follow(name: string, served: ServedModel): Promise<void> {
    this.#followed.set(name, [...(this.#followed.get(name) ?? []), served]);
    const entry = this.#table?.get(name);
    if (entry) this.#changed(name, entry);
    await this.#changes;
  }

  /** The version of the catalog that the model does not serve, and why. */
  refused(served: ServedModel): RefusedVersion | undefined {
    return this.#refused.get(served);
  }

  /** The model went back by itself. */
  left(served: ServedModel, { version, to, error }: LeftVersion): void {
    this.#refuse(served, { model: served.manifest.model, version, refused: error, backTo: to });
  }

  /** Resolves when every change known so far is made or refused. */
  settled(): Promise<void> {
    return this.#changes;
  }

  async close(): Promise<void> {
    await this.#table?.close();
    await this.#changes;
  }

  /** A tombstone means: the folder that bears the model's name, as without a catalog. */
  #changed(name: string, entry: CatalogEntry | undefined): void {
    const dir = join(this.#options.models, entry?.folder ?? name);
    for (const served of this.#followed.get(name) ?? []) {
      if (served.dir !== dir) this.#changes = this.#changes.then(() => this.#swap(served, { dir, entry }));
    }
  }

  async #swap(served: ServedModel, { dir, entry }: { readonly dir: string; readonly entry: CatalogEntry | undefined }): Promise<void> {
    const name = served.manifest.model;
    this.#refused.delete(served);
    try {
      if (entry) this.#checkNotLeft(entry);
      if (entry) await checkDigest(dir, entry);
      await served.swap(dir);
      this.#options.onVersion?.({ model: name, version: served.manifest.version });
    } catch (thrown) {
      const refused = toSluiceError(thrown, 'SLUICE_MODEL_INVALID');
      this.#refuse(served, { model: name, version: entry?.version ?? served.manifest.version, refused });
    }
  }

  /** A version that was added once more since then gets a new chance. */
  #checkNotLeft({ model, version, at }: CatalogEntry): void {
    const left = this.#options.left?.find((health) => health.model === model && health.refusedVersion === version && health.at > at);
    if (left) throw new SluiceError('SLUICE_MODEL_FAILED', left.refusedWhy);
  }

  #refuse(served: ServedModel, change: RefusedVersion): void {
    this.#refused.set(served, change);
    this.#options.onVersion?.(change);
  }
}

async function checkDigest(dir: string, { model, version, digest }: CatalogEntry): Promise<void> {
  const bytes = await readFile(join(dir, 'manifest.json')).catch((cause: unknown) => {
    throw new SluiceError('SLUICE_MODEL_MISSING', `The catalog names ${model}@${version}, and there is no model at ${dir}.`, { cause });
  });
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== digest)
    throw new SluiceError('SLUICE_MODEL_INVALID', `${dir}/manifest.json has the SHA-256 ${found}, the catalog states ${digest}.`);
}
