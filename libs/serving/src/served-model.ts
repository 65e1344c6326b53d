import { SluiceError, type Manifest } from '@sluice/domain';
import type { BatchFit } from './batch-cost.ts';
import type { ModelPool } from './model-pool.ts';
import type { ThreadStats } from './protocol.ts';
import type { Resident } from './resident.ts';
import type { BackendFacts, ModelServer, ServerOptions } from './server.ts';

interface Parts {
  readonly pool: ModelPool;
  /** Unique within the pool. */
  readonly id: string;
  readonly options: ServerOptions;
}

/**
 * A model that goes on under one name while its versions change and its memory comes and goes. Calls that began on a version
 * are answered by that version, and every answer names the one that gave it.
 */
export class ServedModel implements ModelServer {
  readonly #pool: ModelPool;
  readonly #id: string;
  #options: ServerOptions;
  #generation = 0;
  #last!: Resident;
  #closed = false;
  /** Swaps run one after the other. */
  #swapping: Promise<void> = Promise.resolve();

  private constructor({ pool, id, options }: Parts) {
    this.#pool = pool;
    this.#id = id;
    this.#options = options;
  }

  static async open(parts: Parts): Promise<ServedModel> {
    const model = new ServedModel(parts);
    model.#last = await model.#pool.open(model.#key(0), model.#options);
    return model;
  }

  /** Of the version that new calls get. */
  get manifest(): Manifest {
    return this.#last.server.manifest;
  }

  get backend(): BackendFacts {
    return this.#last.server.backend;
  }

  get queued(): number {
    return this.#last.server.queued;
  }

  get dir(): string {
    return this.#options.dir;
  }

  fit(): BatchFit {
    return this.#last.server.fit();
  }

  async infer(...call: Parameters<ModelServer['infer']>): ReturnType<ModelServer['infer']> {
    for (;;) {
      if (this.#closed) throw new SluiceError('SLUICE_CLOSED', 'The model is closed.');
      const key = this.#key(this.#generation);
      const resident = this.#pool.find(key) ?? (await this.#pool.open(key, this.#options));
      // Between its opening and this turn it may have had to make room, or a version may have followed it.
      if (resident.retired) continue;
      this.#last = resident;
      return resident.use((server) => server.infer(...call));
    }
  }

  /**
   * Serves the version in `dir` from now on: loaded, warm and checked before the first call reaches it. Resolves when the calls
   * on the former version have their answers.
   * @throws SluiceError as `openServer`, and SLUICE_MODEL_INVALID when name or labels are not those served so far; the former
   * version then goes on.
   */
  swap(dir: string): Promise<void> {
    const swap = this.#swapping.then(() => this.#swap({ ...this.#options, dir }));
    this.#swapping = swap.catch(() => undefined);
    return swap;
  }

  async stats(): Promise<readonly ThreadStats[]> {
    return this.#last.retired ? [] : this.#last.use((server) => server.stats());
  }

  async close(): Promise<void> {
    await this.#swapping;
    this.#closed = true;
    await this.#pool.drop(this.#key(this.#generation));
  }

  async #swap(options: ServerOptions): Promise<void> {
    const generation = this.#generation + 1;
    const fresh = await this.#pool.open(this.#key(generation), options);
    const fault = differs(this.manifest, fresh.server.manifest);
    if (fault) {
      await this.#pool.drop(this.#key(generation));
      throw new SluiceError(
        'SLUICE_MODEL_INVALID',
        `${options.dir} cannot follow ${this.manifest.model}@${this.manifest.version}: ${fault}`,
      );
    }
    const former = this.#key(this.#generation);
    this.#generation = generation;
    this.#options = options;
    this.#last = fresh;
    await this.#pool.drop(former);
  }

  #key(generation: number): string {
    return `${this.#id}/${generation}`;
  }
}

function differs(former: Manifest, next: Manifest): string | undefined {
  if (next.model !== former.model) return `it is a version of ${next.model}`;
  if (next.labels.join() !== former.labels.join()) return `its labels are ${next.labels.join()}, not ${former.labels.join()}`;
  return undefined;
}
