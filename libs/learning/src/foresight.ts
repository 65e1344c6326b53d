import type { ByteReader, ByteWriter } from './bytes.ts';

/** Memory of about this many events. */
const memory = 2000;

/** How one more tier i, asked after tier j has spoken, turned out against what was expected before j spoke. */
interface Sight {
  /** Mean of (gain of i once j has spoken) - (gain expected before). */
  shift: number;
  /** Mean square of the same. */
  square: number;
  /** Mean of risk (1 - risk) beforehand: how much there was in doubt. */
  doubt: number;
}

/**
 * What a panel has learned of its own future: how far the worth of asking a further tier moves once the tier before it has spoken. Where
 * it moves far, asking in turn pays: most events end after the cheap tier. Published as `Panel.gains`.
 */
export class Foresight {
  readonly #missing: number;
  readonly #sights: readonly Sight[];
  #events = 0;

  constructor(missing: number) {
    this.#missing = missing;
    this.#sights = Array.from({ length: missing * missing }, () => ({ shift: 0, square: 0, doubt: 0 }));
  }

  read(from: ByteReader): void {
    this.#events = from.u32();
    for (const sight of this.#sights) Object.assign(sight, { shift: from.f64(), square: from.f64(), doubt: from.f64() });
  }

  write(to: ByteWriter): void {
    to.u32(this.#events);
    for (const { shift, square, doubt } of this.#sights) to.f64(shift).f64(square).f64(doubt);
  }

  /**
   * @param now risks as the panel predicts them: of serving, then after each missing tier.
   * @param then for each missing tier j: what the panel with j predicts, in its own order.
   */
  observe(now: readonly number[], then: readonly (readonly number[])[]): void {
    const rate = 1 / Math.min(++this.#events, memory);
    const doubt = now[0]! * (1 - now[0]!);
    for (let j = 0; j < this.#missing; j++) {
      for (let i = 0; i < this.#missing; i++) {
        if (i === j || then[j]!.length === 0) continue;
        const surprise = then[j]![0]! - then[j]![1 + i - (i > j ? 1 : 0)]! - (now[1 + j]! - now[1 + i]!);
        const sight = this.#sights[j * this.#missing + i]!;
        sight.shift += rate * (surprise - sight.shift);
        sight.square += rate * (surprise * surprise - sight.square);
        sight.doubt += rate * (doubt - sight.doubt);
      }
    }
  }

  /** For each ordered pair (j, i) of missing tiers: mean surprise, and its standard deviation over the root of the doubt. */
  publish(): Float32Array {
    return Float32Array.from(
      this.#sights.flatMap(({ shift, square, doubt }) => [shift, doubt > 0 ? Math.sqrt(Math.max(0, square - shift * shift) / doubt) : 0]),
    );
  }
}
