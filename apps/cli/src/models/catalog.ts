import { catalogTopic, decodeCatalogEntry, decodeHealth, encodeCatalogEntry, healthTopic } from '@sluice/contracts';
import { SluiceError, type CatalogEntry, type Health } from '@sluice/domain';
import type { Bus } from '@sluice/streaming';

/** A worker that has said nothing for so long is taken to be gone. */
const silentAfterMs = 10_000;
/** How long a worker may take to load a version and say so. */
const takenWithinMs = 60_000;

/** The catalog and the workers' word, as they stand on a bus. */
export class Catalog {
  readonly #bus: Bus;
  readonly #now: () => number;

  constructor(bus: Bus, now: () => number) {
    this.#bus = bus;
    this.#now = now;
  }

  async entries(): Promise<CatalogEntry[]> {
    const table = await this.#bus.openTable({ topic: catalogTopic, decode: decodeCatalogEntry });
    const entries = [...table.entries()].map(([, entry]) => entry);
    await table.close();
    return entries;
  }

  /** What workers that are alive last said. */
  async healths(): Promise<Health[]> {
    const table = await this.#bus.openTable({ topic: healthTopic, decode: decodeHealth });
    const healths = [...table.entries()].map(([, health]) => health).filter(({ at }) => at > this.#now() - silentAfterMs);
    await table.close();
    return healths;
  }

  async publish(entry: CatalogEntry): Promise<void> {
    await this.#put(entry.model, encodeCatalogEntry(entry));
  }

  /** Workers go back to the folder that bears the model's name. */
  async withdraw(model: string): Promise<void> {
    await this.#put(model, null);
  }

  /**
   * Waits until every worker of the model that is alive serves `version`. @returns their instances, or undefined when it took too long.
   * @throws SluiceError SLUICE_MODEL_INVALID with the reason when a worker refuses it.
   */
  async taken(model: string, version: string): Promise<readonly string[] | undefined> {
    const since = this.#now();
    const end = since + takenWithinMs;
    while (this.#now() < end) {
      const workers = (await this.healths()).filter((health) => health.model === model);
      const refusing = workers.find(({ refusedVersion, at }) => refusedVersion === version && at > since);
      if (refusing)
        throw new SluiceError('SLUICE_MODEL_INVALID', `${refusing.instance} does not serve ${model}@${version}: ${refusing.refusedWhy}`);
      if (workers.every((health) => health.version === version)) return workers.map(({ instance }) => instance);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return undefined;
  }

  async #put(model: string, value: Buffer | null): Promise<void> {
    const publisher = await this.#bus.openPublisher();
    await publisher.publish([{ topic: catalogTopic, partition: 0, key: Buffer.from(model), value }]);
    await publisher.close();
  }
}
