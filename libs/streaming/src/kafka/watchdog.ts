import { SluiceError } from '@sluice/domain';
import type { PipeStats } from '../port.ts';

export interface WatchdogOptions {
  readonly stats: PipeStats;
  readonly stallAfterMs: number;
  /** Whether records wait for this pipe. */
  readonly waiting: () => Promise<boolean>;
}

/**
 * Looks whether a pipe that has work gets on with it. The client can sit dead in a live process, so only commits count as
 * progress, and only lag as work.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Since when records have waited without a commit. */
  #since = performance.now();

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  start(onStall: (error: SluiceError) => void): void {
    const { stallAfterMs } = this.#options;
    this.#since = performance.now();
    const look = async () => {
      if (await this.#isStalled())
        onStall(new SluiceError('SLUICE_STALLED', `records wait, but none was committed for ${stallAfterMs} ms`));
      else if (!this.#stopped) this.#timer = setTimeout(look, Math.min(5_000, stallAfterMs / 4)).unref();
    };
    this.#timer = setTimeout(look, Math.min(5_000, stallAfterMs / 4)).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #isStalled(): Promise<boolean> {
    const { stats, stallAfterMs, waiting } = this.#options;
    // A cluster that does not even answer this question makes no progress either.
    const works = await waiting().catch(() => true);
    if (!works || stats.lastProgress > this.#since) this.#since = performance.now();
    return !this.#stopped && performance.now() - this.#since > stallAfterMs;
  }
}
