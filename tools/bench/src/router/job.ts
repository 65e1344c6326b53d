/** What a contestant is to do: read `input`, write to the model topics of the flow `run`. */
export interface Job {
  readonly contestant: string;
  readonly brokers: string;
  readonly input: string;
  /** Name of the flow, the group and whatever else must be fresh for each run. */
  readonly run: string;
  /** End after this many events and report; Infinity (null in JSON): run until told to stop. */
  readonly events: number | null;
  readonly slice: number;
  /** Nothing is processed before this time, so that several processes share the partitions when it begins; left out: at once. */
  readonly notBefore?: number;
  /** Folder of the model, for a contestant that infers. */
  readonly model?: string;
}

/** What one of several processes did of a run. */
export interface Share {
  readonly events: number;
  /** Times of its first record and its last commit, milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly cpuMs: number;
  readonly maxRssMb: number;
}

/** What it says at its end: from its first record to its last commit. */
export interface Outcome {
  readonly ms: number;
  /** CPU of the whole process in that time, per event. */
  readonly cpuMicros: number;
  readonly maxRssMb: number;
}

/** Counts and times one run within its own process. */
export class Meter {
  #started: { readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined;
  #ended: Outcome | undefined;
  /** At the last commit of a run without an end. */
  #last: { readonly at: number; readonly cpuMs: number } | undefined;
  #done = 0;
  readonly #events: number;
  readonly finished: Promise<void>;
  #finish!: () => void;

  constructor(job: Job) {
    this.#events = job.events ?? Infinity;
    this.finished = new Promise((resolve) => (this.#finish = resolve));
  }

  /** The first record is there. */
  begin(): void {
    this.#started ??= { at: performance.now(), cpu: process.cpuUsage() };
  }

  /** So many more records are committed. */
  committed(records: number): void {
    this.#done += records;
    if (this.#events === Infinity && this.#started !== undefined) {
      const { user, system } = process.cpuUsage(this.#started.cpu);
      this.#last = { at: performance.now(), cpuMs: (user + system) / 1_000 };
    }
    if (this.#done < this.#events || this.#ended !== undefined || this.#started === undefined) return;
    const { user, system } = process.cpuUsage(this.#started.cpu);
    const ms = performance.now() - this.#started.at;
    this.#ended = { ms, cpuMicros: (user + system) / this.#done, maxRssMb: process.resourceUsage().maxRSS / 1024 };
    this.#finish();
  }

  /** So far; undefined when nothing was committed. */
  get share(): Share | undefined {
    if (this.#started === undefined || this.#last === undefined) return undefined;
    const { at, cpuMs } = this.#last;
    const from = performance.timeOrigin + this.#started.at;
    return { events: this.#done, from, to: performance.timeOrigin + at, cpuMs, maxRssMb: process.resourceUsage().maxRSS / 1024 };
  }

  get outcome(): Outcome | undefined {
    return this.#ended;
  }
}

/** A contestant that lives in a Node process of its own. Resolves when it consumes; `stop` ends it in good order. */
export type Start = (job: Job, meter: Meter) => Promise<{ stop(): Promise<void> }>;
