import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { SluiceError } from '@sluice/domain';
import { Resident } from './resident.ts';
import { ServedModel, type ServedOptions } from './served-model.ts';
import { openServer, type ServerOptions } from './server.ts';

export interface PoolOptions {
  /** Most bytes that the models of this process may take together. Left out: no limit. */
  readonly budget?: number;
  /** Milliseconds of a steady clock, by which new versions are proven. Default: that of the process. */
  readonly now?: () => number;
}

/** What a model takes beside its weights (measured: 35 to 50 MB for a thread with TensorFlow.js, 44 without, 2 for a model without one). */
const besideWeights: Readonly<Record<'inline' | 'thread', number>> = { inline: 2 * 2 ** 20, thread: 48 * 2 ** 20 };

/**
 * The models of one process under one memory budget: the least recently used leaves when a new one does not fit, and comes back,
 * loaded and warm, when it is asked again. A model is loaded before others go, so for that time one model more is in memory.
 */
export class ModelPool {
  readonly #budget: number;
  readonly #residents: LRUCache<string, Resident>;
  readonly #opening = new Map<string, Promise<Resident>>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #now: () => number;
  #models = 0;

  constructor({ budget = Number.MAX_SAFE_INTEGER, now = () => performance.now() }: PoolOptions = {}) {
    this.#now = now;
    this.#budget = budget;
    this.#residents = new LRUCache<string, Resident>({
      maxSize: budget,
      sizeCalculation: ({ bytes }) => bytes,
      dispose: (resident) => this.#retire(resident),
    });
  }

  /** Bytes that the models in memory count for. */
  get bytes(): number {
    return this.#residents.calculatedSize;
  }

  /**
   * Loads a model and serves it until its `close`.
   * @throws SluiceError as `openServer`; SLUICE_CONFIG_INVALID when the model alone is larger than the budget.
   */
  async add(options: ServedOptions): Promise<ServedModel> {
    return ServedModel.open({ pool: this, id: String(this.#models++), options, now: this.#now });
  }

  /** The server of `key`, if it is in memory. It counts as used now. */
  find(key: string): Resident | undefined {
    return this.#residents.get(key);
  }

  /** The server of `key`, opened if it is not in memory; callers that ask together wait for one opening. */
  async open(key: string, options: ServerOptions): Promise<Resident> {
    const found = this.find(key) ?? this.#opening.get(key);
    if (found) return found;
    const opening = this.#load(key, options).finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
    return opening;
  }

  /** Lets go of the server of `key`. Resolves when the calls that use it have their answers and its threads have ended. */
  async drop(key: string): Promise<void> {
    const resident = this.#residents.peek(key);
    this.#residents.delete(key);
    await resident?.gone;
  }

  async close(): Promise<void> {
    this.#residents.clear();
    await Promise.all(this.#leaving);
  }

  async #load(key: string, options: ServerOptions): Promise<Resident> {
    const server = await openServer(options);
    const stats = await server.stats();
    const beside = besideWeights[server.backend.placement === 'inline' ? 'inline' : 'thread'];
    const bytes = stats.reduce((sum, { weightBytes, processBytes }) => sum + (processBytes ?? weightBytes + beside), 0);
    if (bytes > this.#budget) {
      await server.close();
      const [needed, allowed] = [bytes, this.#budget].map((count) => `${Math.ceil(count / 2 ** 20)} MB`);
      throw new SluiceError('SLUICE_CONFIG_INVALID', `${server.manifest.model} takes ${needed}, the memory budget is ${allowed}`);
    }
    const resident = new Resident(server, bytes);
    this.#residents.set(key, resident);
    return resident;
  }

  #retire(resident: Resident): void {
    const leaving = resident.gone.finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    resident.retire();
  }
}
