import type { ByteReader, ByteWriter } from './bytes.ts';

/** How far theta is held back after an alarm at most: tau is divided by 12 (docs/routing.md 3b). */
export const alarmCaution = 2.5;

/** For this many events after an alarm audits are five times as frequent; for the last part of them caution fades. */
const span = { events: 3000, fading: 1000, factor: 5 };

/**
 * What an alarm sets off: for 3,000 events more audits, and a caution that is taken from theta when the threshold is published.
 *
 * The caution is on loan. It never enters theta, so an alarm costs what is served meanwhile and no more: if it was right, the denser
 * audits have moved theta itself by the time it fades; if not, nothing has to be earned back. Further alarms of one excursion begin the
 * span anew and never add up.
 */
export class Vigilance {
  #left = 0;

  read(from: ByteReader): void {
    this.#left = from.u32();
  }

  write(to: ByteWriter): void {
    to.u32(this.#left);
  }

  get awake(): boolean {
    return this.#left > 0;
  }

  /** By how much audits are more frequent now. */
  get factor(): number {
    return this.awake ? span.factor : 1;
  }

  /** To be taken from theta; 0 when nothing is wrong. */
  get caution(): number {
    return alarmCaution * Math.min(1, this.#left / span.fading);
  }

  /** One event was served. */
  served(): void {
    if (this.#left > 0) this.#left--;
  }

  alarm(): void {
    this.#left = span.events;
  }
}
