import { performance } from 'node:perf_hooks';
import { SluiceError, type Answer } from '@sluice/domain';
import { readAnswer, type AnswerOf } from './answer.ts';
import type { BatchCost, BatchFit } from './batch-cost.ts';
import { handOver } from './host.ts';
import type { Lane, Outcome } from './lane.ts';
import type { RowFailure } from './protocol.ts';
import { RowQueue, type Batch, type InferRequest, type InferValue, type Urgency } from './row-queue.ts';

export interface BatcherOptions {
  readonly lanes: readonly Lane[];
  readonly cost: BatchCost;
  readonly maxBatch: number;
  /** Whose answers these are, and over how many labels. */
  readonly whose: AnswerOf & { readonly labels: number };
  /** Microseconds that a batch takes to be handed over and back. Default: to a thread. */
  readonly hop?: number;
  /** Called with the learned batch time after every 32 batches. */
  readonly onFit?: (fit: BatchFit) => void;
  /** Milliseconds of any steady clock. Default: that of the process. */
  readonly now?: () => number;
}

/** A lane works on one batch and may hold the next, so that it never waits for a busy main thread. */
const depth = 2;
/** Of batches that take next to no time it holds more, since waking a thread takes longer than they do: so many microseconds of them, and no more than so many. */
export const held = { micros: 500, batches: 8 } as const;
/**
 * Milliseconds by which a call may be overtaken, divided by one more than its priority. Strict priorities would starve the lowest; this
 * way nothing that comes later than that goes first.
 */
export const patience = 1000;
/** After so many lost threads in a row the model is taken to be broken, and rows get no second attempt. */
const lostInARow = 3;

/**
 * Merges the rows of all callers into batches and hands every row its own answer. Work conserving: an idle lane gets
 * whatever waits at the end of the present turn of the event loop; a busy one gets its next batch early once it is full.
 * What waits is taken by when it is due, which is never more than `patience` after it came (earliest deadline first, Liu and Layland 1973).
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #queue = new RowQueue();
  /** Batches and rows that each lane holds. */
  readonly #inFlight: number[];
  readonly #rows: number[];
  readonly #open = new Set<InferRequest>();
  readonly #now: () => number;
  #lost = 0;
  #batches = 0;
  #due = false;
  #drained: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#inFlight = options.lanes.map(() => 0);
    this.#rows = options.lanes.map(() => 0);
  }

  /** Rows that wait for a lane. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Answers of the values, in their order; a row that fails is a SluiceError in its place.
   * @throws SluiceError SLUICE_CLOSED after `close`, or the fatal error that keeps every lane from running.
   */
  infer(values: readonly InferValue[], { timeLeft = Infinity, priority = 0 }: Urgency = {}): Promise<readonly (Answer | SluiceError)[]> {
    if (this.#drained) return Promise.reject(new SluiceError('SLUICE_CLOSED', 'The model server is closed.'));
    if (values.length === 0) return Promise.resolve([]);
    const now = this.#now();
    // Late ones in the order in which they came: who is latest must not go first for ever.
    const due = now + Math.max(0, Math.min(timeLeft, patience / (1 + priority)));
    return new Promise((resolve, reject) => {
      const results = new Array<Answer | SluiceError>(values.length);
      const request = { values, due, deadline: now + timeLeft, results, remaining: values.length, resolve, reject };
      this.#open.add(request);
      this.#queue.push(request);
      this.#linger();
    });
  }

  /** Takes no more rows, and resolves when all rows taken so far have their answers. */
  close(): Promise<void> {
    this.#drained ??= new Promise((resolve) => (this.#onDrained = resolve));
    if (this.#open.size === 0) this.#onDrained?.();
    return this.#drained;
  }

  /** One turn of the event loop, so that calls made together share a batch. */
  #linger(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#queue.size > 0) {
      const lane = this.#inFlight.indexOf(Math.min(...this.#inFlight));
      const busy = this.#inFlight[lane]!;
      const full = this.#options.cost.batchSize(this.#options.maxBatch, this.#options.hop ?? handOver.thread);
      if (busy >= this.#depth(full) || (busy > 0 && this.#queue.size < full)) return;
      const batch = this.#queue.take(busy > 0 ? full : this.#share(full), this.#within(lane));
      if (batch) void this.#run(lane, batch);
    }
  }

  /** Batches that a lane may hold. */
  #depth(full: number): number {
    const { base, perRow } = this.#options.cost.fit;
    return Math.max(depth, Math.min(held.batches, Math.floor(held.micros / (base + perRow * full))));
  }

  /** Rows that a lane would answer by a deadline, after those it has already. */
  #within(lane: number): (deadline: number) => number {
    const { cost } = this.#options;
    const now = this.#now();
    const ahead = this.#inFlight[lane]! * cost.fit.base + this.#rows[lane]! * cost.fit.perRow;
    return (deadline) => cost.rowsWithin((deadline - now) * 1000 - ahead);
  }

  /** Idle lanes share what waits, down to batches whose fixed part is half of their time. */
  #share(full: number): number {
    const idle = this.#inFlight.filter((count) => count === 0).length;
    const { base, perRow } = this.#options.cost.fit;
    const worthwhile = perRow > 0 ? Math.ceil(base / perRow) : full;
    return Math.min(full, Math.max(Math.ceil(this.#queue.size / idle), worthwhile));
  }

  async #run(lane: number, batch: Batch): Promise<void> {
    this.#inFlight[lane]! += 1;
    this.#rows[lane]! += batch.n;
    try {
      this.#settle(batch, await this.#options.lanes[lane]!.run(batch));
    } catch (error) {
      this.#abandon(batch, error);
    }
    this.#inFlight[lane]! -= 1;
    this.#rows[lane]! -= batch.n;
    this.#dispatch();
    if (this.#open.size === 0) this.#onDrained?.();
  }

  #settle(batch: Batch, outcome: Outcome): void {
    if (outcome.kind === 'scores') {
      this.#lost = 0;
      this.#learn(batch, outcome.micros);
      return this.#answer(batch, outcome.scores, outcome.failures);
    }
    if (outcome.kind === 'lost') this.#lost += 1;
    const broken = this.#lost > lostInARow;
    // Alone, the row at fault is found and the others get their answers.
    if (!batch.alone && !broken) return this.#queue.retryAlone(batch);
    const error = this.#modelFailed(outcome.message, outcome.kind === 'lost' ? 'SLUICE_MODEL_LOST' : 'SLUICE_MODEL_FAILED');
    this.#failAll(batch, error);
    const others = broken ? this.#queue.takeAlone() : undefined;
    if (others) this.#failAll(others, error);
  }

  #learn(batch: Batch, micros: number): void {
    this.#options.cost.observe(batch.n, micros);
    this.#batches += 1;
    if (this.#batches % 32 === 0) this.#options.onFit?.(this.#options.cost.fit);
  }

  #answer(batch: Batch, scores: Float32Array, failures: readonly RowFailure[]): void {
    const { whose } = this.#options;
    const failed = new Map(failures.map((failure) => [failure.row, failure]));
    let row = 0;
    for (const { request, from, to } of batch.spans) {
      for (let i = from; i < to; i++, row++) {
        const failure = failed.get(row);
        const answer = failure ? new SluiceError(failure.code, failure.message) : readAnswer(scores, row * whose.labels, whose);
        this.#give(request, i, typeof answer === 'string' ? this.#modelFailed(answer) : answer);
      }
    }
  }

  #failAll(batch: Batch, error: SluiceError): void {
    for (const { request, from, to } of batch.spans) {
      for (let i = from; i < to; i++) this.#give(request, i, error);
    }
  }

  #modelFailed(message: string, code: 'SLUICE_MODEL_FAILED' | 'SLUICE_MODEL_LOST' = 'SLUICE_MODEL_FAILED'): SluiceError {
    const { model, version } = this.#options.whose;
    return new SluiceError(code, `${model}@${version}: ${message}.`);
  }

  #give(request: InferRequest, index: number, result: Answer | SluiceError): void {
    request.results[index] = result;
    request.remaining -= 1;
    if (request.remaining > 0) return;
    this.#open.delete(request);
    request.resolve(request.results);
  }

  /** No lane will ever run: callers must not take this for answers, so that nothing is committed. */
  #abandon(batch: Batch, error: unknown): void {
    for (const { request } of [...batch.spans, ...this.#queue.clear()]) {
      this.#open.delete(request);
      request.reject(error);
    }
  }
}
