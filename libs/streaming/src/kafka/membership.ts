import { pause } from './time.ts';

/** How recent a sign of membership must be before a producer may be taken over after an ordinary failure. */
const freshMs = 15_000;
const lookAgainMs = 100;

/**
 * When the group last confirmed that we are a member of its present generation (a join or an answered heartbeat). A process
 * that slept through its expulsion must not take partitions back from their new owner by initialising their ids again.
 */
export class Membership {
  #confirmedAt = -Infinity;

  confirm(): void {
    this.#confirmedAt = performance.now();
  }

  /** Resolves once a confirmation later than `after` (left out: a recent one) is there, or the signal is given. */
  async confirmed(after: number | undefined, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#confirmedAt <= (after ?? performance.now() - freshMs)) await pause(lookAgainMs, signal);
  }
}
