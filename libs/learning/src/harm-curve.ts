import type { ByteReader, ByteWriter } from './bytes.ts';

/** ln tau that are tried: from 0 downwards. */
export const triedThresholds: readonly number[] = Array.from({ length: 19 }, (_, step) => -step / 2 + 0);

/** Memory of about this many events. */
const memory = 600;

/** How much harm is predicted, per event, at each of the tried thresholds: for the plan that is served now, from the events of which every answer is known. */
export class HarmCurve {
  readonly #harms = triedThresholds.map(() => 0);
  #weight = 0;

  read(from: ByteReader): void {
    this.#weight = from.f64();
    for (let step = 0; step < this.#harms.length; step++) this.#harms[step] = from.f64();
  }

  write(to: ByteWriter): void {
    to.f64(this.#weight);
    for (const harm of this.#harms) to.f64(harm);
  }

  /**
   * @param harms predicted for one event at each of `triedThresholds`.
   * @param weight for how many events it stands.
   */
  add(harms: readonly number[], weight: number): void {
    const keep = 1 - 1 / memory;
    this.#weight = this.#weight * keep + weight;
    for (let step = 0; step < this.#harms.length; step++) this.#harms[step] = this.#harms[step]! * keep + harms[step]! * weight;
  }

  /** The largest ln tau at which at most `target` is predicted, between two that were tried in proportion; undefined where nothing is known. */
  threshold(target: number): number | undefined {
    if (this.#weight === 0) return undefined;
    const harms = this.#harms.map((harm) => harm / this.#weight);
    const step = harms.findIndex((harm) => harm <= target);
    if (step <= 0) return triedThresholds[step === 0 ? 0 : harms.length - 1];
    const [above, below] = [harms[step - 1]!, harms[step]!];
    const share = (target - below) / (above - below);
    return triedThresholds[step]! + share * (triedThresholds[step - 1]! - triedThresholds[step]!);
  }
}
