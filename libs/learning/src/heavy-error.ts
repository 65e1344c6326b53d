import type { ByteReader, ByteWriter } from './bytes.ts';

/** Weight of an event after 20,000 others. */
const keep = 2 ** (-1 / 20_000);

/**
 * Share of all events that heavy itself answers wrong, told from those on which it ran: for the user, or in an audit, which then stands for
 * 1 / p events. What an absolute target leaves for the lighter tiers is the target less this.
 */
export class HeavyError {
  #wrong = 0;
  #weights = 0;
  #squares = 0;

  read(from: ByteReader): void {
    this.#wrong = from.f64();
    this.#weights = from.f64();
    this.#squares = from.f64();
  }

  write(to: ByteWriter): void {
    to.f64(this.#wrong).f64(this.#weights).f64(this.#squares);
  }

  /** One standard error above the estimate; 1 while nothing is known. */
  get upper(): number {
    const { centre, error } = this.#interval;
    return Math.min(1, centre + error);
  }

  /** Two standard errors below it. */
  get lower(): number {
    const { centre, error } = this.#interval;
    return Math.max(0, centre - 2 * error);
  }

  /** @param weight 1 / (probability that heavy's answer would be known). */
  observe(wrong: boolean, weight: number): void {
    this.#wrong = this.#wrong * keep + (wrong ? weight : 0);
    this.#weights = this.#weights * keep + weight;
    this.#squares = this.#squares * keep * keep + weight * weight;
  }

  /** Agresti and Coull (1998) on the effective number of events. */
  get #interval(): { readonly centre: number; readonly error: number } {
    const samples = this.#weights > 0 ? this.#weights ** 2 / this.#squares : 0;
    const share = this.#weights > 0 ? this.#wrong / this.#weights : 0;
    const centre = (share * samples + 2) / (samples + 4);
    return { centre, error: Math.sqrt((centre * (1 - centre)) / (samples + 4)) };
  }
}
