import type { Holding, InRecord, PipeSpec } from '../port.ts';

/** Most bytes of values in one slice; a single larger record still makes a slice of its own. */
const maxSliceBytes = 4 << 20;

/** Longest time that records gather because a commit was slow. */
const longestRestMs = 50;

const always: Holding = { until: () => 0, clock: { now: () => 0 } };

type SliceSpec = Pick<PipeSpec, 'maxSlice' | 'lingerMs' | 'unhurried' | 'holding'>;

interface Waiting {
  readonly record: InRecord;
  readonly since: number;
}

/** Records of one partition between the fetch and the transaction: one taker, slices that linger for company. */
export class SliceQueue {
  #waiting: Waiting[] = [];
  #head = 0;
  #bytes = 0;
  /** Until when a slice gathers after a commit (performance.now). */
  #restUntil = 0;
  #wake: (() => void) | undefined;
  readonly #spec: SliceSpec;

  constructor(spec: SliceSpec) {
    this.#spec = spec;
  }

  get length(): number {
    return this.#waiting.length - this.#head;
  }

  /** Enough for several slices: the partition is not fetched further until half of it is gone. */
  get isFull(): boolean {
    return this.length >= 4 * this.#spec.maxSlice || this.#bytes > 4 * maxSliceBytes;
  }

  get isLow(): boolean {
    return this.length <= 2 * this.#spec.maxSlice && this.#bytes <= 2 * maxSliceBytes;
  }

  /** Milliseconds until the first record is due; 0 when it is, or none is there. */
  get restMs(): number {
    const first = this.#waiting[this.#head];
    return first === undefined ? 0 : this.#restOf(first.record);
  }

  push(records: readonly InRecord[]): void {
    const since = performance.now();
    for (const record of records) {
      this.#waiting.push({ record, since });
      this.#bytes += sizeOf(record);
    }
    this.wake();
  }

  /**
   * A slice was committed. What that costs is nearly the same for one record as for a hundred, so at most half of the time is spent in commits: a busy
   * broker is asked less often, an idle one answers before anybody notices.
   */
  committed(tookMs: number): void {
    this.#restUntil = performance.now() + Math.min(longestRestMs, tookMs);
  }

  clear(): void {
    this.#waiting = [];
    this.#head = this.#bytes = 0;
  }

  /** Ends a `take` that waits, which then returns what there is, maybe nothing. */
  wake(): void {
    this.#wake?.();
  }

  /** The next slice of what is due; empty after `idleMs` without a record that is, or when `stopped` says so after a wake-up. */
  async take(idleMs: number, stopped: () => boolean): Promise<InRecord[]> {
    if (this.length === 0) await this.#wait(idleMs, () => this.length > 0 || stopped());
    const first = this.#waiting[this.#head];
    if (first === undefined) return [];
    const rest = this.#restOf(first.record);
    if (rest > 0) await this.#wait(Math.min(rest, idleMs), stopped);
    if (this.restMs > 0) return [];
    await this.#linger(stopped);
    return stopped() ? [] : this.#shift();
  }

  async #linger(stopped: () => boolean): Promise<void> {
    for (let until = this.#lingerUntil; until > performance.now() && !stopped(); until = this.#lingerUntil) {
      await this.#wait(until - performance.now(), () => stopped() || this.#lingerUntil < until);
    }
  }

  /** When the slice has gathered for long enough (performance.now); a full one has. */
  get #lingerUntil(): number {
    const { maxSlice, lingerMs, unhurried } = this.#spec;
    if (this.length >= maxSlice) return 0;
    const first = this.#waiting[this.#head];
    if (first === undefined) return 0;
    let until = first.since + (unhurried ?? this.#spec).lingerMs;
    for (let at = this.#head; unhurried !== undefined && at < this.#waiting.length; at++) {
      const { record, since } = this.#waiting[at]!;
      if (since + lingerMs >= until) break;
      if (!unhurried.is(record)) until = since + lingerMs;
    }
    return Math.max(this.#restUntil, until);
  }

  #wait(ms: number, enough: () => boolean): Promise<void> {
    if (enough()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#wake = () => {
        if (enough()) end();
      };
    });
  }

  #restOf(record: InRecord): number {
    const { clock, until } = this.#spec.holding ?? always;
    return Math.max(0, until(record) - clock.now());
  }

  #shift(): InRecord[] {
    const slice: InRecord[] = [];
    let bytes = 0;
    while (slice.length < this.#spec.maxSlice && this.length > 0) {
      const { record } = this.#waiting[this.#head]!;
      const size = sizeOf(record);
      if (slice.length > 0 && (bytes + size > maxSliceBytes || this.#restOf(record) > 0)) break;
      bytes += size;
      slice.push(record);
      this.#head++;
    }
    this.#bytes -= bytes;
    if (this.length === 0) this.clear();
    else if (this.#head > 4_096) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return slice;
  }
}

const sizeOf = ({ key, value }: InRecord): number => (key?.length ?? 0) + (value?.length ?? 0);
