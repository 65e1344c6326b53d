/** Prints what set-up is doing and how long each step took, and keeps the times for the report. */
export class Steps {
  readonly seconds: Record<string, number> = {};
  readonly #out: NodeJS.WriteStream;
  readonly #started = performance.now();

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  get totalSeconds(): number {
    return round((performance.now() - this.#started) / 1000);
  }

  note(text: string): void {
    this.#out.write(`    ${text}\n`);
  }

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    this.#out.write(`  ${name} ...\n`);
    const result = await work();
    this.seconds[name] = round((performance.now() - started) / 1000);
    this.#out.write(`  ${name}: ${this.seconds[name].toFixed(1)} s\n`);
    return result;
  }
}

export function round(value: number, digits = 2): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
