import { defineMachine, SluiceError, type Machine, type Transitions } from '@sluice/domain';
import { startHost, type Host, type Placement } from './host.ts';
import type { ModelFolder } from './model-folder.ts';
import type { ExecutorFacts, FromThread, RowFailure, ThreadData, ThreadStats } from './protocol.ts';
import type { Batch } from './row-queue.ts';

/** What became of a batch. `scores`: rows with failures of their own; the others failed as a whole. */
export type Outcome =
  | { readonly kind: 'scores'; readonly scores: Float32Array; readonly failures: readonly RowFailure[]; readonly micros: number }
  | { readonly kind: 'threw'; readonly message: string }
  /** The thread did not answer in time, or died: it was replaced. */
  | { readonly kind: 'lost'; readonly message: string };

/** A way to run batches one after the other; the batcher knows no more of threads. */
export interface Lane {
  /** @throws SluiceError of class fatal when no batch can run here any more. */
  run(batch: Batch): Promise<Outcome>;
}

export interface LaneOptions {
  /** File of the thread. */
  readonly file: URL;
  readonly data: ThreadData;
  readonly folder: ModelFolder;
  readonly placement: Placement;
  /** Milliseconds a batch may take before its thread is given up. */
  readonly timeout: number;
  /** Milliseconds a thread may take to load its model. */
  readonly openTimeout: number;
  /** Largest JavaScript heap of the thread; undefined: the runtime's default. Tensors lie outside of it. */
  readonly memoryMb: number | undefined;
  /** Called when a thread that served is replaced, with the reason. */
  readonly onLost: ((why: string) => void) | undefined;
}

export type LaneState = 'starting' | 'serving' | 'closed';

/** `starting` again after every thread that hung or died. */
export const laneTransitions: Transitions<LaneState> = {
  starting: ['serving', 'closed'],
  serving: ['starting', 'closed'],
  closed: [],
};

interface Running {
  readonly batch: Batch;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: SluiceError) => void;
}

/** One inference thread and its successors: a thread that hangs or dies is replaced, its batches are told apart. */
export class ThreadLane implements Lane {
  readonly #options: LaneOptions;
  readonly #state: Machine<LaneState> = defineMachine('inference thread', laneTransitions, { start: 'starting' });
  /** Batches given to the thread, the one it works on first; its message queue keeps the order. */
  #running: Running[] = [];
  #posted = 0;
  #plan: ThreadData['plan'];
  #host: Host | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ready: ((facts: ExecutorFacts) => void) | undefined;
  #failed: ((error: SluiceError) => void) | undefined;
  #stats: ((stats: ThreadStats) => void)[] = [];

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#plan = options.data.plan;
  }

  get placement(): Placement {
    return this.#options.placement;
  }

  /** Starts the thread and waits until its model is loaded. @throws SluiceError of the reason why it is not. */
  async open(): Promise<ExecutorFacts> {
    const facts = new Promise<ExecutorFacts>((resolve, reject) => {
      this.#ready = resolve;
      this.#failed = reject;
    });
    this.#start();
    return facts;
  }

  run(batch: Batch): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#running.push({ batch, resolve, reject });
      if (this.#state.is('closed')) this.#fail(new SluiceError('SLUICE_CLOSED', 'The inference thread is closed.'));
      else if (this.#state.is('serving')) this.#post();
    });
  }

  async stats(): Promise<ThreadStats> {
    return new Promise((resolve) => {
      this.#stats.push(resolve);
      this.#host?.send({ kind: 'stats' });
    });
  }

  /** Ends the thread; batches still running are rejected. */
  async close(): Promise<void> {
    const host = this.#host;
    if (!this.#state.is('closed')) this.#fail(new SluiceError('SLUICE_CLOSED', 'The inference thread was closed.'));
    await host?.end();
  }

  #start(): void {
    const { file, data, folder, memoryMb, placement } = this.#options;
    const host: Host = startHost(placement, {
      ...{ file, folder, memoryMb, data: { ...data, plan: this.#plan } },
      onMessage: (message) => this.#receive(host, message),
      onGone: (why) => this.#lose(host, why),
    });
    this.#host = host;
    this.#posted = 0;
    this.#watch();
  }

  #receive(host: Host, message: FromThread): void {
    if (host !== this.#host) return;
    if (message.kind === 'stats') return this.#stats.shift()?.(message.stats);
    if (message.kind === 'fault') return this.#fail(new SluiceError(message.code, message.message));
    if (message.kind === 'ready') {
      this.#plan = message.facts.plan;
      this.#state.to('serving');
      this.#watch();
      this.#ready?.(message.facts);
      return this.#post();
    }
    const done = this.#running.shift();
    this.#posted -= 1;
    this.#watch();
    done?.resolve(message);
  }

  #post(): void {
    while (this.#posted < this.#running.length) {
      const { batch } = this.#running[this.#posted]!;
      this.#host?.send({ kind: 'run', batch });
      this.#posted += 1;
      if (this.#posted === 1) this.#watch();
    }
  }

  /** Starts the clock anew for whatever the thread works on now, or stops it. */
  #watch(): void {
    clearTimeout(this.#timer);
    const host = this.#host;
    const loading = this.#state.is('starting');
    if (!host || !(loading || this.#posted > 0)) return;
    const head = this.#running[0];
    const late = (): void => {
      if (host !== this.#host || (!loading && head !== this.#running[0])) return;
      if (loading !== this.#state.is('starting')) return;
      this.#lose(
        host,
        loading ? 'the thread did not load its model in time' : `the model did not answer within ${this.#options.timeout} ms`,
      );
    };
    // When this thread was blocked, timers fire before messages are read: the answer may be there already.
    this.#timer = setTimeout(() => setImmediate(late), loading ? this.#options.openTimeout : this.#options.timeout);
  }

  /** The thread is gone: the batch it worked on is lost, the ones behind it run on its successor as if nothing had been. */
  #lose(host: Host, message: string): void {
    if (host !== this.#host || this.#state.is('closed')) return;
    if (this.#state.is('starting')) return this.#fail(new SluiceError('SLUICE_MODEL_INVALID', `${this.#options.data.dir}: ${message}.`));
    const lost = this.#posted > 0 ? this.#running.shift() : undefined;
    this.#options.onLost?.(message);
    this.#state.to('starting');
    void host.end();
    this.#start();
    for (const waiting of this.#stats.splice(0)) waiting({ tensors: 0, weightBytes: 0 });
    lost?.resolve({ kind: 'lost', message });
  }

  #fail(error: SluiceError): void {
    clearTimeout(this.#timer);
    if (!this.#state.is('closed')) this.#state.to('closed');
    const host = this.#host;
    this.#host = undefined;
    void host?.end();
    for (const { reject } of this.#running.splice(0)) reject(error);
    for (const waiting of this.#stats.splice(0)) waiting({ tensors: 0, weightBytes: 0 });
    this.#failed?.(error);
  }
}
