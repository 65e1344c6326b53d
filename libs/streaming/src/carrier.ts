import { SluiceError, toSluiceError } from '@sluice/domain';
import { deadLetter } from '@sluice/contracts';
import type { InRecord, OutRecord, PipeSpec, PipeStats, Processor } from './port.ts';

/** How often a record is tried alone before it becomes a dead letter. */
export const attemptsAlone = 3;

/** Most bytes of a damaged batch that are kept: with headers they must fit a record of the dead-letter topic. */
const longestDamaged = 900_000;

/** A slice and what became of it: both are committed together or not at all. */
export interface Work {
  readonly slice: readonly InRecord[];
  readonly outputs: readonly OutRecord[];
}

export interface CarrierOptions {
  readonly spec: PipeSpec;
  readonly processor: Processor;
  readonly stats: PipeStats;
  /**
   * Makes outputs and offsets durable together. Throws a SluiceError of class reject when the log refuses a record for what
   * it is (too large): the slice is then taken apart like one whose processing failed. Whatever else it throws ends `carry`.
   */
  readonly commit: (work: Work) => Promise<void>;
}

/**
 * Carries slices through a processor and keeps a poisonous record from stopping the stream: a slice that fails is tried
 * again whole, then in halves down to the single record, and a record that keeps failing alone becomes a dead letter
 * committed with its offset. Knows no log: both drivers use it.
 */
export class Carrier {
  readonly #options: CarrierOptions;

  constructor(options: CarrierOptions) {
    this.#options = options;
  }

  /** Resolves when every record of the slice is committed. @throws SluiceError of class fatal, or what `commit` threw. */
  async carry(slice: readonly InRecord[]): Promise<void> {
    const failure = await this.#attempt(slice);
    if (failure === undefined) return;
    if (slice.length > 1 && (await this.#attempt(slice)) === undefined) return;
    await this.#isolate(slice, failure);
  }

  async #isolate(slice: readonly InRecord[], failure: SluiceError): Promise<void> {
    if (slice.length === 1) return this.#alone(slice[0]!, failure);
    const middle = slice.length >> 1;
    for (const half of [slice.slice(0, middle), slice.slice(middle)]) {
      const halfFailed = await this.#attempt(half);
      if (halfFailed !== undefined) await this.#isolate(half, halfFailed);
    }
  }

  async #alone(record: InRecord, failure: SluiceError): Promise<void> {
    let last = failure;
    for (let attempts = 1; attempts < attemptsAlone; attempts++) {
      const again = await this.#attempt([record]);
      if (again === undefined) return;
      last = again;
    }
    await this.#commit({ slice: [record], outputs: [this.#letter(record, last, attemptsAlone)] });
  }

  /** Dead letters for what the log could not give as records. */
  #damaged(slice: readonly InRecord[]): OutRecord[] {
    const letters: OutRecord[] = [];
    for (const record of slice) {
      if (record.damage === undefined) continue;
      const bytes = { ...record, value: record.value?.subarray(0, longestDamaged) ?? null };
      letters.push(this.#letter(bytes, new SluiceError('SLUICE_BATCH_DAMAGED', record.damage), 1));
    }
    return letters;
  }

  #letter(record: InRecord, error: SluiceError, attempts: number): OutRecord {
    const { spec } = this.#options;
    return deadLetter({ record, error, stage: spec.stage ?? spec.group, topic: spec.deadLetters, attempts });
  }

  /** Undefined when the slice is committed, else why it was not. */
  async #attempt(slice: readonly InRecord[]): Promise<SluiceError | undefined> {
    const { processor } = this.#options;
    let outputs: readonly OutRecord[];
    try {
      const letters = this.#damaged(slice);
      const sound = letters.length === 0 ? slice : slice.filter(({ damage }) => damage === undefined);
      const made = sound.length === 0 ? [] : await processor.process(sound);
      outputs = letters.length === 0 ? made : [...made, ...letters];
    } catch (thrown) {
      return this.#failed(thrown);
    }
    try {
      await this.#commit({ slice, outputs });
    } catch (thrown) {
      if (thrown instanceof SluiceError && thrown.class === 'reject') return this.#failed(thrown);
      throw thrown;
    }
    await decisive(() => processor.committed?.());
    return undefined;
  }

  async #failed(thrown: unknown): Promise<SluiceError> {
    const failure = failureOf(thrown);
    this.#options.stats.aborts++;
    await decisive(() => this.#options.processor.aborted?.());
    if (failure.class === 'fatal') throw failure;
    return failure;
  }

  async #commit(work: Work): Promise<void> {
    const { commit, stats, spec } = this.#options;
    await commit(work);
    stats.transactions++;
    stats.records += work.slice.length;
    stats.outputs += work.outputs.length;
    for (const output of work.outputs) if (output.topic === spec.deadLetters) stats.deadLetters++;
    stats.lastProgress = performance.now();
  }
}

/**
 * Runs a hook of a processor after which there is no way back: were it tried again, the state in memory and the log could part.
 * @throws SluiceError whatever the hook threw, so that the pipe ends and the next start restores the state.
 */
export async function decisive(hook: () => unknown): Promise<void> {
  try {
    await hook();
  } catch (thrown) {
    throw toSluiceError(thrown, 'SLUICE_PROCESSOR_FAILED');
  }
}

/** What a dead letter will say: the processor's own code where it rejects the record, else that processing failed. */
function failureOf(thrown: unknown): SluiceError {
  const error = toSluiceError(thrown, 'SLUICE_PROCESSOR_FAILED');
  return error.class === 'retry' ? new SluiceError('SLUICE_PROCESSOR_FAILED', error.message, { cause: error }) : error;
}
