import type { EpochMs, Millis } from '@sluice/domain';

/** How fast a worker gets on while it has something to do, over its recent work: what decides how long a queue takes, whatever keeps it busy. */
export class Pace {
  #rows = 0;
  #busyMs = 0;
  /** Slices under way, side by side for several partitions. */
  #running = 0;
  #since: EpochMs = 0;
  #delay: Millis = 0;

  /** As last told by `delayOf`. */
  get lastDelay(): Millis {
    return this.#delay;
  }

  began(now: EpochMs): void {
    this.#count(now);
    this.#running++;
  }

  /** @param rows 0 for a slice that was given up. */
  ended(rows: number, now: EpochMs): void {
    this.#count(now);
    this.#running = Math.max(0, this.#running - 1);
    this.#rows += rows;
  }

  /**
   * Milliseconds that `waiting` rows will take at the pace of late; 0 while that is not known. Each look halves the weight of what came before.
   */
  delayOf(waiting: number, now: EpochMs): Millis {
    this.#count(now);
    this.#delay = this.#rows === 0 ? 0 : Math.round((waiting * this.#busyMs) / this.#rows);
    this.#rows /= 2;
    this.#busyMs /= 2;
    return this.#delay;
  }

  #count(now: EpochMs): void {
    // A clock that is set back takes nothing away.
    if (this.#running > 0) this.#busyMs += Math.max(0, now - this.#since);
    this.#since = now;
  }
}
