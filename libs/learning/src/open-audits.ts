import type { ByteReader, ByteWriter } from './bytes.ts';
import { fingerprintOf } from './recent-ids.ts';

/**
 * Audits whose shadow part was applied and whose truth is awaited, each with the rho that its shadow part used. The parts of
 * an event add up to g + (A/p)(y - g) only if truth takes back exactly what the shadow part put in, while rho moves on.
 */
export class OpenAudits {
  readonly #capacity: number;
  readonly #rhos: Map<number, number>;

  constructor(capacity: number, rhos: Iterable<[number, number]> = []) {
    this.#capacity = capacity;
    this.#rhos = new Map(rhos);
  }

  static read(from: ByteReader, capacity: number): OpenAudits {
    const length = from.u32();
    return new OpenAudits(
      capacity,
      Array.from({ length }, () => [from.f64(), from.f32()] as [number, number]),
    );
  }

  write(to: ByteWriter): void {
    to.u32(this.#rhos.size);
    for (const [fingerprint, rho] of this.#rhos) to.f64(fingerprint).f32(rho);
  }

  /** @param rho a float32 value, as `HarmShare.value` gives it. */
  open(id: string, rho: number): void {
    this.#rhos.set(fingerprintOf(id), rho);
    if (this.#rhos.size > this.#capacity) this.#rhos.delete(this.#rhos.keys().next().value!);
  }

  /** The rho of the shadow part, forgotten with this call; undefined when there was none or it was too long ago. */
  close(id: string): number | undefined {
    const fingerprint = fingerprintOf(id);
    const rho = this.#rhos.get(fingerprint);
    this.#rhos.delete(fingerprint);
    return rho;
  }
}
