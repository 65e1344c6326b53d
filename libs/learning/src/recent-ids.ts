import { keyedUniform } from '@sluice/domain';
import type { ByteReader, ByteWriter } from './bytes.ts';

/**
 * A number in [0, 1) with 53 bits that stands for a name. Among n remembered names a stranger is taken for a known one with
 * probability n / 2^53: for 4,096 names and 10^9 events that is 5e-4 over the whole life of a flow.
 */
export function fingerprintOf(name: string): number {
  return keyedUniform(name, 0x51_1c_e0);
}

/** The latest `capacity` names seen; older ones are forgotten in order of arrival. */
export class RecentIds {
  readonly #capacity: number;
  readonly #seen: Set<number>;

  constructor(capacity: number, seen: Iterable<number> = []) {
    this.#capacity = capacity;
    this.#seen = new Set(seen);
  }

  static read(from: ByteReader, capacity: number): RecentIds {
    const length = from.u32();
    return new RecentIds(
      capacity,
      Array.from({ length }, () => from.f64()),
    );
  }

  write(to: ByteWriter): void {
    to.u32(this.#seen.size);
    for (const fingerprint of this.#seen) to.f64(fingerprint);
  }

  /** False when the name is already among the remembered ones. */
  add(name: string): boolean {
    const fingerprint = fingerprintOf(name);
    if (this.#seen.has(fingerprint)) return false;
    this.#seen.add(fingerprint);
    // A Set iterates in insertion order, so its first element is the oldest.
    if (this.#seen.size > this.#capacity) this.#seen.delete(this.#seen.values().next().value!);
    return true;
  }
}
