import { defineMachine, SluiceError, toSluiceError, type Machine, type Transitions } from '@sluice/domain';
import { Carrier, decisive, type Work } from '../carrier.ts';
import { placeOf, stamped } from '../records.ts';
import type { PipeSpec, PipeStats, Processor, TopicPartition } from '../port.ts';
import type { ClusterAdmin } from './admin.ts';
import type { BusLogger, Clients } from './client.ts';
import { expiredLetter } from './expired.ts';
import { isFenced, protocolType, refusal } from './faults.ts';
import type { ClientBatch } from './internals.ts';
import type { Membership } from './membership.ts';
import { replayBefore } from './replay.ts';
import { SliceQueue } from './slice-queue.ts';
import { backoff, pause } from './time.ts';
import { toRecord, type Place } from './wire.ts';
import type { Writer } from './writer.ts';

/** The way of one partition through a pipe. */
export const ownerTransitions = {
  /** Assigned; no producer. */
  assigned: ['fencing', 'closed'],
  /** A new producer takes the transactional id over; then the committed offset is read. */
  fencing: ['running', 'poisoned', 'closed'],
  running: ['fencing', 'poisoned', 'fenced', 'closed'],
  /** Something failed: the producer is thrown away whatever it was. */
  poisoned: ['fencing', 'closed'],
  /** Another process took the id over: nothing is done before the group confirms that the partition is ours. */
  fenced: ['fencing', 'closed'],
  closed: [],
} as const satisfies Transitions<string>;

export type OwnerState = keyof typeof ownerTransitions;

/** How long a partition is silent before markers at its end are committed, so that lag comes to rest at 0. */
const idleMs = 1_000;

/** How many batches in a row may begin elsewhere than expected. */
const maxLost = 3;

/** How often a damaged batch is fetched before it is put aside: what the way here damaged comes whole the next time. */
const maxDamaged = 3;

/** A commit whose fate is not known. */
interface Uncertain {
  readonly next: number;
  /** Whether records went through the processor for it: only then it waits to hear of their fate. */
  readonly carried: boolean;
  /** Offsets that it passes over because they are gone. */
  readonly expired: number;
}

export interface OwnerContext {
  readonly clients: Clients;
  readonly admin: ClusterAdmin;
  readonly logger: BusLogger;
  readonly spec: PipeSpec;
  readonly stats: PipeStats;
  readonly membership: Membership;
  readonly newWriter: (partition: TopicPartition) => Writer;
  /** Fetches this partition from `offset` on. */
  readonly seek: (partition: TopicPartition, offset: number) => void;
  readonly setPaused: (partition: TopicPartition, paused: boolean) => void;
}

/** Carries one assigned partition: slices in, transactions out, one at a time. */
export class PartitionOwner {
  readonly partition: TopicPartition;
  /** Resolves when the partition runs for the first time; not at all when `done` ends before. */
  readonly ready: Promise<void>;
  /** Ends when the partition is given up; rejects with the error that ends the pipe. */
  readonly done: Promise<void>;
  readonly #context: OwnerContext;
  readonly #queue: SliceQueue;
  readonly #machine: Machine<OwnerState>;
  readonly #closing = new AbortController();
  #isReady!: () => void;
  #writer: Writer | undefined;
  #processor: Processor | undefined;
  #carrier: Carrier | undefined;
  /** Next offset to fetch, as far as batches told. */
  #position = 0;
  /** Next offset to process: what the group has committed, or will have with the transaction under way. */
  #committed = -1;
  #uncertain: Uncertain | undefined;
  #anew = false;
  #lost = 0;
  #damaged = 0;
  #paused = true;

  constructor(context: OwnerContext, partition: TopicPartition, after: Promise<unknown>) {
    this.#context = context;
    this.partition = partition;
    this.#queue = new SliceQueue(context.spec);
    this.#machine = defineMachine<OwnerState>(`${partition.topic}/${partition.partition}`, ownerTransitions, {
      start: 'assigned',
      onChange: (from, to) => context.logger.debug({ event: 'partition', ...partition, from, to }, 'partition changed state'),
    });
    this.ready = new Promise((resolve) => (this.#isReady = resolve));
    this.done = after.then(() => this.#run());
    this.done.catch(() => undefined);
  }

  get state(): OwnerState {
    return this.#machine.state;
  }

  get position(): number {
    return this.#position;
  }

  /** Records are here and none of them is due: nothing is to be expected of this partition now. */
  get isResting(): boolean {
    return this.#machine.state === 'running' && this.#queue.restMs > 0;
  }

  get isBusy(): boolean {
    return this.#queue.length > 0 || this.#uncertain !== undefined;
  }

  /** The group was joined again and the partition stayed: fence anew before the next slice. */
  renew(): void {
    this.#anew = true;
    this.#context.setPaused(this.partition, true);
    this.#paused = true;
    this.#queue.wake();
  }

  /** Takes a fetched batch. False: it does not continue what is known, and must not be resolved. */
  offer(batch: ClientBatch): boolean {
    if (this.#machine.state !== 'running' || this.#anew) return false;
    const fetchedOffset = Number(batch.fetchedOffset);
    if (fetchedOffset !== this.#position) return this.#lose();
    this.#lost = 0;
    if (batch.messages.some(({ damage }) => damage !== undefined) && ++this.#damaged < maxDamaged) return this.#fetchAgain();
    this.#damaged = 0;
    this.#queue.push(batch.messages.map((message) => toRecord(this.partition, message)));
    this.#position = Number(batch.lastOffset()) + 1;
    if (this.#queue.isFull && !this.#paused) this.#setPaused(true);
    return true;
  }

  /** Goes back to where the stream broke off; when the records there have expired, the committed offset must be looked up anew. */
  #lose(): false {
    if (++this.#lost > maxLost) this.renew();
    else this.#fetchAgain();
    return false;
  }

  #fetchAgain(): false {
    this.#context.seek(this.partition, this.#position);
    return false;
  }

  /** A batch that held nothing but markers and aborted records: the client skipped it by itself. */
  skipped(fetchedOffset: number, lastOffset: number): void {
    if (fetchedOffset === this.#position) this.#position = lastOffset + 1;
  }

  /** Finishes the slice under way and gives the partition up. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#queue.wake();
    await this.done.catch(() => undefined);
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#context.setPaused(this.partition, paused);
  }

  async #run(): Promise<void> {
    try {
      for (let failures = 0; !this.#closing.signal.aborted;) {
        try {
          if (this.#machine.state !== 'running' || this.#anew) await this.#fence();
          await this.#next();
          failures = 0;
        } catch (thrown) {
          if (thrown instanceof SluiceError && thrown.class !== 'retry') throw thrown;
          await this.#poison(thrown, failures++);
        }
      }
    } catch (thrown) {
      throw toSluiceError(thrown, 'SLUICE_PROCESSOR_FAILED');
    } finally {
      await this.#end();
    }
  }

  /** Producer, committed offset, processor, position: in this order, so that nothing of a predecessor can still be pending. */
  async #fence(): Promise<void> {
    if (this.#machine.state === 'running') await this.#dropWriter();
    this.#machine.to('fencing');
    this.#anew = false;
    const { newWriter, admin, spec, seek } = this.#context;
    this.#writer = newWriter(this.partition);
    await this.#writer.open();
    const { low, high } = await admin.bounds(this.partition);
    const found = await admin.committed(spec.group, this.partition);
    const committed = found ?? low;
    if (committed > high) throw this.#ahead(committed, high);
    await this.#settleFate(committed);
    await this.#seat(Math.max(low, committed));
    if (this.#closing.signal.aborted) return;
    this.#queue.clear();
    this.#position = this.#committed;
    // The place is committed before anything is read: whatever expires from now on is known to be missing.
    if (found !== this.#committed) await this.#moveTo(low, committed);
    this.#machine.to('running');
    seek(this.partition, this.#position);
    this.#setPaused(false);
    this.#isReady();
  }

  /** Another log has this one's name, or its end is gone: to go on anywhere would be a guess that loses or doubles records. */
  #ahead(committed: number, high: number): SluiceError {
    const { topic, partition } = this.partition;
    return new SluiceError(
      'SLUICE_OFFSET_AHEAD',
      `group ${this.#context.spec.group} has committed offset ${committed} of ${topic}/${partition}, which ends at ${high}`,
    );
  }

  async #moveTo(low: number, committed: number): Promise<void> {
    const { spec, logger } = this.#context;
    if (committed === low) return this.#commit({ slice: [], outputs: [] });
    const gap = { from: committed, until: low };
    logger.warn({ event: 'records-gone', ...this.partition, ...gap }, 'records expired unread');
    await this.#commit({ slice: [], outputs: [expiredLetter(spec, this.partition, gap)] }, low - committed);
  }

  /** The committed offset tells whether the transaction that ended in an error did take place. */
  async #settleFate(committed: number): Promise<void> {
    if (this.#uncertain === undefined) return;
    const { next, carried, expired } = this.#uncertain;
    const happened = committed === next;
    this.#uncertain = undefined;
    if (happened) {
      this.#committed = committed;
      this.#context.stats.expired += expired;
    }
    if (carried) await decisive(() => (happened ? this.#processor?.committed?.() : this.#processor?.aborted?.()));
  }

  /** Keeps the processor while nobody else moved the partition on; otherwise its state is stale and a new one takes over. */
  async #seat(committed: number): Promise<void> {
    if (this.#processor !== undefined && committed === this.#committed) return;
    const { spec, stats } = this.#context;
    await decisive(() => this.#processor?.close?.());
    this.#processor = undefined;
    const replayed = spec.replay ? await replayBefore(this.#context, this.partition, committed) : [];
    await decisive(async () => {
      const processor = (this.#processor = await spec.processor(this.partition));
      if (spec.replay) await processor.restore?.(replayed);
    });
    this.#committed = committed;
    this.#carrier = new Carrier({ spec, processor: this.#processor!, stats, commit: (work) => this.#commit(work) });
  }

  async #next(): Promise<void> {
    const stopped = () => this.#closing.signal.aborted || this.#anew;
    const slice = await this.#queue.take(idleMs, stopped);
    if (stopped()) return;
    if (slice.length === 0 && this.#queue.restMs > 0) return this.#rest();
    if (this.#paused && this.#queue.isLow) this.#setPaused(false);
    if (slice.length > 0) return this.#carrier!.carry(slice);
    if (this.#position > this.#committed) await this.#commit({ slice: [], outputs: [] });
  }

  /** What is fetched is enough until the first of it is due; heartbeats go on. */
  #rest(): void {
    if (!this.#paused) this.#setPaused(true);
  }

  async #commit({ slice, outputs }: Work, expired = 0): Promise<void> {
    const { spec, admin, stats } = this.#context;
    const next = slice.at(-1) === undefined ? this.#position : slice.at(-1)!.offset + 1;
    this.#uncertain = { next, carried: slice.length > 0, expired };
    const counts = new Map<string, number>();
    for (const { topic } of outputs) if (!counts.has(topic)) counts.set(topic, await admin.partitions(topic));
    const records = outputs.map((output): Place => ({
      ...output,
      partition: placeOf(output, counts.get(output.topic)!),
      headers: stamped(output),
    }));
    try {
      await this.#writer!.commit({ group: spec.group, records, partition: this.partition, next });
    } catch (thrown) {
      const refused = refusal(thrown);
      if (refused === undefined) throw thrown;
      await this.#replaceWriter();
      this.#uncertain = undefined;
      throw refused;
    }
    this.#uncertain = undefined;
    this.#committed = next;
    stats.expired += expired;
  }

  /** The broker refused a record: only the transaction is lost, the place in the slice is not. */
  async #replaceWriter(): Promise<void> {
    await this.#dropWriter();
    const writer = this.#context.newWriter(this.partition);
    this.#writer = writer;
    await writer.open();
  }

  async #poison(thrown: unknown, failures: number): Promise<void> {
    const { logger, stats, membership } = this.#context;
    const fenced = isFenced(thrown);
    const at = performance.now();
    this.#setPaused(true);
    await this.#dropWriter();
    stats.aborts++;
    this.#machine.to(fenced && this.#machine.state === 'running' ? 'fenced' : 'poisoned');
    const why = { event: fenced ? 'fenced' : 'poisoned', ...this.partition, type: protocolType(thrown), error: String(thrown) };
    logger[failures > 2 ? 'warn' : 'debug'](why, 'a transaction failed, going back to the committed offset');
    await pause(backoff(failures), this.#closing.signal);
    await membership.confirmed(fenced ? at : undefined, this.#closing.signal);
  }

  async #dropWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close().catch(() => undefined);
  }

  async #end(): Promise<void> {
    if (!this.#machine.is('closed')) this.#machine.to('closed');
    this.#queue.clear();
    await this.#dropWriter();
    if (this.#uncertain?.carried) await this.#processor?.aborted?.();
    this.#uncertain = undefined;
    await this.#processor?.close?.();
  }
}
