import type { ByteReader, ByteWriter } from './bytes.ts';

/** Disagreements after which one counts half (docs/routing.md 3b). */
const halfLife = 700;
const keep = 2 ** (-1 / halfLife);

/** As much belief as ten disagreements, nine of them harmful: heavy is the reference because it is usually the right one. */
const prior = { harmful: 9, all: 10 };

/** rho = P(harm | disagreement): which share of light/heavy disagreements turns out to be harm, once the truth is known. */
export class HarmShare {
  #harmful: number;
  #all: number;

  constructor(harmful = prior.harmful, all = prior.all) {
    this.#harmful = harmful;
    this.#all = all;
  }

  static read(from: ByteReader): HarmShare {
    return new HarmShare(from.f64(), from.f64());
  }

  write(to: ByteWriter): void {
    to.f64(this.#harmful).f64(this.#all);
  }

  /** In [0, 1], rounded to float32 because open audits keep it in that size. */
  get value(): number {
    return Math.fround(this.#harmful / this.#all);
  }

  observe(harm: boolean): void {
    this.#harmful = this.#harmful * keep + (harm ? 1 : 0);
    this.#all = this.#all * keep + 1;
  }
}
