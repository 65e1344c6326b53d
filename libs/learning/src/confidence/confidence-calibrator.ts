import type { ByteReader, ByteWriter } from '../bytes.ts';
import { binOf, CalibrationError, perBin } from './calibration-error.ts';
import { OnlinePlatt } from './online-platt.ts';

/** Expected calibration error of a tier's confidences, as its model gives them and after calibration. */
export interface ConfidenceError {
  /** Answers to users whose truth came. */
  readonly events: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Turns the confidences of one tier into probabilities that its answers are right, learning from each answer whose truth comes.
 *
 * Platt scaling finds the shape; then each of ten bins of its forecast says the share that was right there so far ("calibeating", Foster and Hart 2023;
 * with Platt: Gupta and Ramdas, arXiv 2305.00070). On any sequence between two alarms the squared error of what is said exceeds that of the best constant per
 * bin in hindsight by at most ln(n + 1) + 2 for each bin, so calibration is gained and no resolution lost.
 */
export class ConfidenceCalibrator {
  readonly #platt = new OnlinePlatt();
  /** By bin of the Platt forecast: answers and how many were right, each begun with its first forecast as one answer. */
  readonly #seen = perBin(() => 0);
  readonly #right = perBin(() => 0);
  readonly #before = new CalibrationError();
  readonly #after = new CalibrationError();

  read(from: ByteReader): void {
    this.#platt.read(from);
    for (const bin of this.#seen.keys()) {
      this.#seen[bin] = from.f64();
      this.#right[bin] = from.f64();
    }
    this.#before.read(from);
    this.#after.read(from);
  }

  write(to: ByteWriter): void {
    this.#platt.write(to);
    for (const [bin, seen] of this.#seen.entries()) to.f64(seen).f64(this.#right[bin]!);
    this.#before.write(to);
    this.#after.write(to);
  }

  get error(): ConfidenceError {
    return { events: this.#before.events, before: this.#before.value, after: this.#after.value };
  }

  /** Probability that an answer of this confidence is right. */
  calibrated(confidence: number): number {
    const forecast = this.#platt.predict(confidence);
    const bin = binOf(forecast);
    return this.#seen[bin] === 0 ? forecast : this.#right[bin]! / this.#seen[bin]!;
  }

  /** Truth about one answer. */
  observe(confidence: number, right: boolean): void {
    this.#before.add(confidence, right);
    this.#after.add(this.calibrated(confidence), right);
    const forecast = this.#platt.predict(confidence);
    const bin = binOf(forecast);
    if (this.#seen[bin] === 0) {
      this.#seen[bin] = 1;
      this.#right[bin] = forecast;
    }
    this.#seen[bin]!++;
    if (right) this.#right[bin]!++;
    this.#platt.observe(confidence, right);
  }

  /** After a change of the world: what was seen counts a twentieth. */
  quicken(): void {
    this.#platt.quicken();
    for (const bin of this.#seen.keys()) {
      this.#seen[bin]! *= 0.05;
      this.#right[bin]! *= 0.05;
    }
  }
}
