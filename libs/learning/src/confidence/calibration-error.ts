import type { ByteReader, ByteWriter } from '../bytes.ts';

const bins = 10;

/** Equal bins of [0, 1]. */
export function binOf(probability: number): number {
  return Math.min(bins - 1, Math.max(0, Math.floor(probability * bins)));
}

export function perBin<T>(make: () => T): T[] {
  return Array.from({ length: bins }, make);
}

/** Expected calibration error of what was said before each answer was known: mean over the answers of |said - right| by bin of what was said. */
export class CalibrationError {
  #events = 0;
  /** By bin: sum of (said - right). */
  readonly #gaps = perBin(() => 0);

  read(from: ByteReader): void {
    this.#events = from.f64();
    for (const bin of this.#gaps.keys()) this.#gaps[bin] = from.f64();
  }

  write(to: ByteWriter): void {
    to.f64(this.#events);
    for (const gap of this.#gaps) to.f64(gap);
  }

  get events(): number {
    return this.#events;
  }

  get value(): number {
    return this.#gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / Math.max(1, this.#events);
  }

  add(said: number, right: boolean): void {
    this.#events++;
    this.#gaps[binOf(said)]! += said - (right ? 1 : 0);
  }
}
