import type { EpochMs } from './brand.ts';

/**
 * The only way libs learn the time. Decisions take a time stamp as an argument; only apps own a clock, so every
 * decision can be made again later with the same stamp.
 */
export interface Clock {
  now(): EpochMs;
}

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  #now: EpochMs;

  constructor(start: EpochMs = 0) {
    this.#now = start;
  }

  now(): EpochMs {
    return this.#now;
  }

  advance(by: number): void {
    this.#now += by;
  }
}
