import { defineMachine, SluiceError, toSluiceError, type Machine } from '@sluice/domain';
import { Carrier, decisive, type Work } from '../carrier.ts';
import type { Processor, TopicPartition } from '../port.ts';
import type { ClusterAdmin } from './admin.ts';
import type { BusLogger, Clients } from './client.ts';
import { Committer, type CommitterContext } from './committer.ts';
import { expiredLetter } from './expired.ts';
import { isFenced, protocolType } from './faults.ts';
import type { ClientBatch } from './internals.ts';
import type { Membership } from './membership.ts';
import { ownerTransitions, type OwnerState } from './owner-state.ts';
import { replayBefore } from './replay.ts';
import { SliceQueue } from './slice-queue.ts';
import { backoff, pause } from './time.ts';
import { toRecord } from './wire.ts';

/** How long a partition is silent before markers at its end are committed, so that lag comes to rest at 0. */
const idleMs = 1_000;

/** How many batches in a row may begin elsewhere than expected. */
const maxLost = 3;

/** How often a damaged batch is fetched before it is put aside: what the way here damaged comes whole the next time. */
const maxDamaged = 3;

export interface OwnerContext extends CommitterContext {
  readonly clients: Clients;
  readonly admin: ClusterAdmin;
  readonly logger: BusLogger;
  readonly membership: Membership;
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
  readonly #committer: Committer;
  readonly #machine: Machine<OwnerState>;
  readonly #closing = new AbortController();
  #isReady!: () => void;
  #processor: Processor | undefined;
  #carrier: Carrier | undefined;
  /** Next offset to fetch, as far as batches told. */
  #position = 0;
  /** Next offset to process: what the group has committed, or will have with the transaction under way. */
  #committed = -1;
  #anew = false;
  #lost = 0;
  #damaged = 0;
  #paused = true;

  constructor(context: OwnerContext, partition: TopicPartition, after: Promise<unknown>) {
    this.#context = context;
    this.partition = partition;
    this.#queue = new SliceQueue(context.spec);
    this.#committer = new Committer(context, partition);
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
    return this.#queue.length > 0 || this.#committer.isUncertain;
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
    if (this.#machine.state === 'running') await this.#committer.close();
    this.#machine.to('fencing');
    this.#anew = false;
    const { admin, spec, seek } = this.#context;
    await this.#committer.open();
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

  async #settleFate(committed: number): Promise<void> {
    const fate = this.#committer.settle(committed);
    if (fate?.happened) this.#committed = committed;
    if (fate?.carried) await decisive(() => (fate.happened ? this.#processor?.committed?.() : this.#processor?.aborted?.()));
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

  async #commit(work: Work, expired = 0): Promise<void> {
    const last = work.slice.at(-1);
    const next = last === undefined ? this.#position : last.offset + 1;
    const began = performance.now();
    await this.#committer.commit(work, { next, expired });
    this.#queue.committed(performance.now() - began);
    this.#committed = next;
  }

  async #poison(thrown: unknown, failures: number): Promise<void> {
    const { logger, stats, membership } = this.#context;
    const fenced = isFenced(thrown);
    const at = performance.now();
    this.#setPaused(true);
    await this.#committer.close();
    stats.aborts++;
    this.#machine.to(fenced && this.#machine.state === 'running' ? 'fenced' : 'poisoned');
    const why = { event: fenced ? 'fenced' : 'poisoned', ...this.partition, type: protocolType(thrown), error: String(thrown) };
    logger[failures > 2 ? 'warn' : 'debug'](why, 'a transaction failed, going back to the committed offset');
    await pause(backoff(failures), this.#closing.signal);
    await membership.confirmed(fenced ? at : undefined, this.#closing.signal);
  }

  async #end(): Promise<void> {
    if (!this.#machine.is('closed')) this.#machine.to('closed');
    this.#queue.clear();
    await this.#committer.close();
    if (this.#committer.forget()) await this.#processor?.aborted?.();
    await this.#processor?.close?.();
  }
}
