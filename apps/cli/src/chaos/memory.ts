/** Largest memory of an app in MiB while the first half of the stream was published, and after that. */
export interface Peaks {
  first: number;
  second: number;
}

/** Garbage is collected when the runtime likes: so much more is no growth. */
const slackMb = 48;

/** What the apps of a cell took, held apart by halves of its stream: bounded memory reaches a plateau. */
export class MemoryWatch {
  readonly #peaks = new Map<string, Peaks>();

  note(resident: ReadonlyMap<string, number>, share: number): void {
    for (const [app, mb] of resident) {
      const peaks = this.#peaks.get(app) ?? { first: 0, second: 0 };
      const half = share < 0.5 ? 'first' : 'second';
      peaks[half] = Math.max(peaks[half], mb);
      this.#peaks.set(app, peaks);
    }
  }

  get peaks(): Readonly<Record<string, Peaks>> {
    return Object.fromEntries(this.#peaks);
  }

  /** Of router and workers: feedback keeps what it joins and learns. */
  get findings(): readonly string[] {
    return [...this.#peaks].flatMap(([app, { first, second }]) =>
      app === 'feedback' || second <= 1.25 * first + slackMb ? [] : [`${app} grew from ${first} MiB to ${second} MiB`],
    );
  }
}
