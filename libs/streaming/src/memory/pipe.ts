import { toSluiceError, type SluiceError } from '@sluice/domain';
import { Carrier, type Work } from '../carrier.ts';
import { placeOf, stamped } from '../records.ts';
import type { Pipe, PipeSpec, PipeStats, Processor, TopicPartition } from '../port.ts';
import { newStats } from '../stats.ts';
import type { MemoryLog } from './log.ts';

export interface MemoryPipeOptions {
  readonly log: MemoryLog;
  readonly spec: PipeSpec;
  readonly now: () => number;
  /** Asked before each commit; true aborts it, so that tests see a processor forget and repeat. */
  readonly abort: (work: Work) => boolean;
}

class AbortedOnPurpose extends Error {}

/** One partition of a memory pipe: its processor and its position. */
class MemoryOwner {
  readonly partition: TopicPartition;
  readonly #options: MemoryPipeOptions;
  readonly #processor: Processor;
  readonly #carrier: Carrier;

  constructor(options: MemoryPipeOptions, place: { partition: TopicPartition; processor: Processor; stats: PipeStats }) {
    this.partition = place.partition;
    this.#options = options;
    this.#processor = place.processor;
    this.#carrier = new Carrier({ ...place, spec: options.spec, commit: (work) => this.#commit(work) });
  }

  get position(): number {
    return this.#options.log.committed(this.#options.spec.group, this.partition);
  }

  /** Records that are due; those behind one that is not wait with it. */
  get lag(): number {
    const records = this.#options.log.partition(this.partition);
    const { holding } = this.#options.spec;
    if (holding === undefined) return records.length - this.position;
    const now = holding.clock.now();
    const rest = records.slice(this.position);
    const first = rest.findIndex((record) => holding.until(record) > now);
    return first < 0 ? rest.length : first;
  }

  /** Milliseconds until the next record is due; undefined when one is, or none is there. */
  get restMs(): number | undefined {
    const { log, spec } = this.#options;
    const next = log.partition(this.partition)[this.position];
    if (spec.holding === undefined || next === undefined || this.lag > 0) return undefined;
    return spec.holding.until(next) - spec.holding.clock.now();
  }

  async restore(): Promise<void> {
    const { log, spec } = this.#options;
    const from = Math.max(0, this.position - (spec.replay ?? 0));
    if (from < this.position) await this.#processor.restore?.(log.partition(this.partition).slice(from, this.position));
  }

  async step(): Promise<void> {
    const { log, spec } = this.#options;
    const slice = log.partition(this.partition).slice(this.position, this.position + Math.min(this.lag, spec.maxSlice));
    try {
      await this.#carrier.carry(slice);
    } catch (thrown) {
      if (!(thrown instanceof AbortedOnPurpose)) throw thrown;
      await this.#processor.aborted?.();
    }
  }

  async close(): Promise<void> {
    await this.#processor.close?.();
  }

  async #commit({ slice, outputs }: Work): Promise<void> {
    const { log, spec, now, abort } = this.#options;
    if (abort({ slice, outputs })) throw new AbortedOnPurpose();
    log.append(
      outputs.map((record) => ({
        topic: record.topic,
        partition: placeOf(record, log.partitions(record.topic).length),
        key: record.key,
        value: record.value,
        headers: stamped(record),
        timestamp: record.timestamp ?? now(),
      })),
    );
    log.commit(spec.group, this.partition, slice[slice.length - 1]!.offset + 1);
  }
}

/** A pipe of the in-memory driver: moves only when told to. */
export class MemoryPipe implements Pipe {
  readonly done: Promise<void>;
  readonly stats = newStats();
  readonly spec: PipeSpec;
  readonly #owners: MemoryOwner[] = [];
  #finish!: () => void;
  #fail!: (error: SluiceError) => void;
  #ended = false;
  /** Owners with a timer. */
  readonly #resting = new Set<MemoryOwner>();
  readonly #draining = new Map<MemoryOwner, Promise<void>>();
  /** The turn under way: turns of one pipe never overlap. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(spec: PipeSpec) {
    this.spec = spec;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // An app may look at `done` late; until then a failure must not end the process as an unhandled rejection.
    this.done.catch(() => undefined);
  }

  static async open(options: MemoryPipeOptions, owned: readonly TopicPartition[]): Promise<MemoryPipe> {
    const pipe = new MemoryPipe(options.spec);
    for (const partition of owned) {
      const processor = await options.spec.processor(partition);
      const owner = new MemoryOwner(options, { partition, processor, stats: pipe.stats });
      await owner.restore();
      pipe.#owners.push(owner);
    }
    pipe.stats.assigned = owned.length;
    return pipe;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Records that wait for this pipe; 0 once it has ended. */
  get lag(): number {
    return this.#ended ? 0 : this.#owners.reduce((sum, owner) => sum + owner.lag, 0);
  }

  /** Carries one slice of each partition that has records, one after the other; in `live` mode all there is, side by side. */
  turn(live: boolean): Promise<void> {
    this.#turn = live ? this.#drain() : this.#turn.then(() => this.#once());
    return this.#turn;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#turn;
    for (const owner of this.#owners) await owner.close();
    this.#owners.length = 0;
    this.#finish();
  }

  async #once(): Promise<void> {
    for (const owner of this.#owners) await this.#step(owner);
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#owners.map((owner) => this.#draining.get(owner) ?? this.#drainOne(owner)));
  }

  /** Runs until the partition is empty; whoever comes meanwhile joins this run. */
  #drainOne(owner: MemoryOwner): Promise<void> {
    const run = async () => {
      while (!this.#ended && owner.lag > 0) {
        await this.#step(owner);
        // Slices of a synchronous processor must not starve timers and sockets.
        await new Promise((resolve) => setImmediate(resolve));
      }
      // In the same turn as the last look at `lag`, so that no record falls between.
      this.#draining.delete(owner);
      this.#wakeWhenDue(owner);
    };
    if (owner.lag === 0) return Promise.resolve(this.#wakeWhenDue(owner));
    const running = run();
    this.#draining.set(owner, running);
    return running;
  }

  /** Nobody publishes when a record becomes due. */
  #wakeWhenDue(owner: MemoryOwner): void {
    const { restMs } = owner;
    if (restMs === undefined || this.#ended || this.#resting.has(owner)) return;
    this.#resting.add(owner);
    setTimeout(() => {
      this.#resting.delete(owner);
      if (!this.#ended) void this.turn(true);
    }, restMs).unref();
  }

  async #step(owner: MemoryOwner): Promise<void> {
    if (this.#ended || owner.lag === 0) return;
    try {
      await owner.step();
    } catch (thrown) {
      this.#ended = true;
      this.#fail(toSluiceError(thrown, 'SLUICE_PROCESSOR_FAILED'));
    }
  }
}
