import { SluiceError, toSluiceError, type Answer, type Manifest } from '@sluice/domain';
import type { BatchFit } from './batch-cost.ts';
import type { ModelPool } from './model-pool.ts';
import { isModelFault, Probation, type Tried } from './probation.ts';
import type { ThreadStats } from './protocol.ts';
import type { Resident } from './resident.ts';
import type { InferValue, Urgency } from './row-queue.ts';
import type { BackendFacts, ModelServer, ServerOptions } from './server.ts';

/** A version that was left because it failed where the one before it did not. */
export interface LeftVersion {
  readonly version: string;
  /** The version that serves again. */
  readonly to: string;
  readonly error: SluiceError;
}

export interface ServedOptions extends ServerOptions {
  /** Called when a version that was swapped in was left again. */
  readonly onLeft?: (left: LeftVersion) => void;
}

interface Parts {
  readonly pool: ModelPool;
  /** Unique within the pool. */
  readonly id: string;
  readonly options: ServedOptions;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
}

/** A version in the pool: loaded, or to be loaded again when it is asked. */
interface Version {
  readonly key: string;
  readonly options: ServedOptions;
  /** Where it followed another one and is not proven yet. */
  readonly trial?: { readonly before: Version; readonly probation: Probation };
}

type Answers = readonly (Answer | SluiceError)[];
type Call = { readonly values: readonly InferValue[]; readonly urgency: Urgency | undefined };

/**
 * A model that goes on under one name while its versions change and its memory comes and goes. Calls that began on a version
 * are answered by that version, and every answer names the one that gave it. After a swap the version before stays in memory until the new
 * one is proven: rows that fail on the new one get their answers from it, and when there are too many of them it serves again.
 */
export class ServedModel implements ModelServer {
  readonly #pool: ModelPool;
  readonly #id: string;
  readonly #now: () => number;
  #generation = 0;
  #current: Version;
  #last!: Resident;
  #rollbacks = 0;
  #losses = 0;
  #closed = false;
  /** Swaps and the ways back run one after the other. */
  #swapping: Promise<void> = Promise.resolve();

  private constructor({ pool, id, options, now }: Parts) {
    this.#pool = pool;
    this.#id = id;
    this.#now = now;
    const onLost = (why: string): void => {
      this.#losses += 1;
      options.onLost?.(why);
    };
    this.#current = { key: `${id}/0`, options: { ...options, onLost } };
  }

  static async open(parts: Parts): Promise<ServedModel> {
    const model = new ServedModel(parts);
    model.#last = await model.#pool.open(model.#current.key, model.#current.options);
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
    return this.#current.options.dir;
  }

  /** How often a version was left again. */
  get rollbacks(): number {
    return this.#rollbacks;
  }

  /** How many inference threads hung or died, and were replaced. */
  get losses(): number {
    return this.#losses;
  }

  fit(): BatchFit {
    return this.#last.server.fit();
  }

  async infer(values: readonly InferValue[], urgency?: Urgency): Promise<Answers> {
    for (;;) {
      const version = this.#current;
      const resident = await this.#resident(version);
      // Between its opening and this turn it may have had to make room, or a version may have followed it.
      if (resident.retired || version !== this.#current) continue;
      this.#last = resident;
      const answers = resident.use((server) => server.infer(values, urgency));
      return version.trial ? this.#try(version, answers, { values, urgency }) : answers;
    }
  }

  /**
   * Serves the version in `dir` from now on: loaded, warm and checked before the first call reaches it. Calls on the former version are
   * answered by it.
   * @throws SluiceError as `openServer`, and SLUICE_MODEL_INVALID when name or labels are not those served so far; the former
   * version then goes on.
   */
  swap(dir: string): Promise<void> {
    return this.#inTurn(() => this.#swap({ ...this.#current.options, dir }));
  }

  async stats(): Promise<readonly ThreadStats[]> {
    return this.#last.retired ? [] : this.#last.use((server) => server.stats());
  }

  async close(): Promise<void> {
    await this.#swapping;
    this.#closed = true;
    const { key, trial } = this.#current;
    await Promise.all([key, ...(trial ? [trial.before.key] : [])].map((each) => this.#pool.drop(each)));
  }

  async #resident({ key, options }: Version): Promise<Resident> {
    if (this.#closed) throw new SluiceError('SLUICE_CLOSED', 'The model is closed.');
    return this.#pool.find(key) ?? this.#pool.open(key, options);
  }

  /** Its calls are answered first; nobody waits for that. */
  #drop(key: string): void {
    this.#pool.drop(key).catch(() => undefined);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#swapping.then(work);
    this.#swapping = done.catch(() => undefined);
    return done;
  }

  async #swap(options: ServedOptions): Promise<void> {
    const key = `${this.#id}/${++this.#generation}`;
    const fresh = await this.#pool.open(key, options);
    const fault = differs(this.manifest, fresh.server.manifest);
    if (fault) {
      await this.#pool.drop(key);
      throw new SluiceError(
        'SLUICE_MODEL_INVALID',
        `${options.dir} cannot follow ${this.manifest.model}@${this.manifest.version}: ${fault}`,
      );
    }
    const { trial, ...current } = this.#current;
    this.#current = { key, options, trial: { before: trial?.before ?? current, probation: new Probation(this.#now()) } };
    this.#last = fresh;
    // A version that was never proven is nothing to go back to.
    if (trial) this.#drop(current.key);
  }

  /** A call on a version that is not proven: what fails there is asked of the version before. */
  async #try(version: Version, running: Promise<Answers>, call: Call): Promise<Answers> {
    let fatal: unknown;
    const answers = await running.catch((thrown: unknown) => {
      fatal = thrown;
      return failed(thrown, call.values.length);
    });
    const rows = answers.flatMap((answer, row) => (isModelFault(answer) ? [row] : []));
    const others = rows.length > 0 ? await this.#askOther(version, { ...call, values: rows.map((row) => call.values[row]!) }) : [];
    if (fatal !== undefined && others.length === 0) throw fatal;
    const merged = [...answers];
    others.forEach((answer, i) => (merged[rows[i]!] = answer));
    const rescued = others.filter((answer) => !(answer instanceof SluiceError)).length;
    await this.#judge(version, { rows: answers.length, failed: rows.length, rescued }, answers[rows[0]!]);
    return merged;
  }

  /** Answers of the version before, until this one is proven; once this one was left, of whichever serves. None when there is no such. */
  async #askOther(version: Version, { values, urgency }: Call): Promise<Answers> {
    const other = this.#current.key === version.key ? this.#current.trial?.before : this.#current;
    try {
      for (;;) {
        const resident = other && (await this.#resident(other));
        if (!resident?.retired) return (await resident?.use((server) => server.infer(values, urgency))) ?? [];
      }
    } catch (thrown) {
      failed(thrown, 0);
      return [];
    }
  }

  async #judge(version: Version, tried: Tried, fault: Answer | SluiceError | undefined): Promise<void> {
    const verdict = version.trial!.probation.judge(tried, this.#now());
    if (verdict === 'watch') return;
    const judged = this.#inTurn(async () => {
      if (version !== this.#current) return;
      if (verdict === 'leave') return this.#leave(version, fault as SluiceError);
      this.#current = { key: version.key, options: version.options };
      this.#drop(version.trial!.before.key);
    });
    // Where the version before cannot be loaded any more this one goes on: the call has its answers either way.
    await judged.catch(() => undefined);
  }

  async #leave({ key, trial }: Version, fault: SluiceError): Promise<void> {
    const { before } = trial!;
    const { model, version } = this.manifest;
    this.#last = await this.#resident(before);
    this.#current = before;
    this.#rollbacks += 1;
    const to = this.manifest.version;
    const error = new SluiceError(
      'SLUICE_MODEL_FAILED',
      `${model}@${version} failed on what ${to} answers, which serves again. ${fault.message}`,
    );
    before.options.onLeft?.({ version, to, error });
    this.#drop(key);
  }
}

/** A server that cannot run at all any more has failed every row; one that is closed has not been asked. */
function failed(thrown: unknown, rows: number): Answers {
  const error = toSluiceError(thrown, 'SLUICE_MODEL_FAILED');
  if (error.code === 'SLUICE_CLOSED') throw error;
  return Array.from({ length: rows }, () => new SluiceError('SLUICE_MODEL_FAILED', error.message, { cause: error }));
}

function differs(former: Manifest, next: Manifest): string | undefined {
  if (next.model !== former.model) return `it is a version of ${next.model}`;
  if (next.labels.join() !== former.labels.join()) return `its labels are ${next.labels.join()}, not ${former.labels.join()}`;
  return undefined;
}
