import { codes } from '../protocol/codes.ts';
import { headOf, isSound, markerOf, placedAt, recordsOf, type BatchHead, type BatchRecord } from '../protocol/record-batch.ts';
import { ProducerState } from './producer-state.ts';

interface Stored extends BatchHead {
  readonly bytes: Buffer;
  /** For a marker: whether it ends a committed transaction. */
  readonly commit: boolean;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

export interface Appended {
  readonly errorCode: number;
  readonly base: number;
}

/** The log of one partition as its leader keeps it. Every append is replicated at once: the high watermark is the end. */
export class PartitionLog {
  start = 0;
  end = 0;
  readonly #batches: Stored[] = [];
  readonly #producers = new Map<number, ProducerState>();
  readonly #aborted: AbortedTransaction[] = [];

  /** First offset of the oldest open transaction, or the end. */
  get stable(): number {
    let stable = this.end;
    for (const { openSince } of this.#producers.values()) if (openSince !== undefined && openSince < stable) stable = openSince;
    return stable;
  }

  hasOpen({ producerId, epoch }: { producerId: number; epoch: number }): boolean {
    const state = this.#producers.get(producerId);
    return state?.openSince !== undefined && state.epoch === epoch;
  }

  append(batch: Buffer): Appended {
    if (!isSound(batch)) return { errorCode: codes.corruptMessage, base: -1 };
    const head = headOf(batch);
    if (head.producerId < 0) return { errorCode: codes.none, base: this.#store(batch).base };
    const state = this.#stateOf(head.producerId);
    const duplicate = state.duplicateOf(head);
    if (duplicate !== undefined) return { errorCode: codes.none, base: duplicate.base };
    const errorCode = state.refusal(head);
    if (errorCode !== codes.none) return { errorCode, base: -1 };
    const stored = this.#store(batch);
    state.appended(stored);
    return { errorCode, base: stored.base };
  }

  /** Ends the open transaction of a producer; the marker takes an offset. */
  mark(marker: { producerId: number; epoch: number; commit: boolean; timestamp: number }): void {
    const { producerId, epoch, commit } = marker;
    const state = this.#stateOf(producerId);
    if (epoch < state.epoch) return;
    const { base } = this.#store(markerOf(marker), commit);
    if (state.openSince !== undefined && !commit) this.#aborted.push({ producerId, firstOffset: state.openSince, lastOffset: base });
    state.ended(epoch);
  }

  /** Batches from the one that holds `offset` on, below `limit`, at least one and else at most `maxBytes`. */
  read(offset: number, { limit, maxBytes }: { limit: number; maxBytes: number }): { records: Buffer; next: number } {
    const found: Buffer[] = [];
    let [size, next] = [0, offset];
    for (let i = this.#indexOf(offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i]!;
      if (batch.base >= limit || (size > 0 && size + batch.bytes.length > maxBytes)) break;
      found.push(batch.bytes);
      size += batch.bytes.length;
      next = batch.last + 1;
    }
    return { records: found.length === 1 ? found[0]! : Buffer.concat(found), next };
  }

  /** Aborted transactions that touch [from, to), in the order in which they ended: not sorted by where they begin. */
  abortedIn(from: number, to: number): AbortedTransaction[] {
    return this.#aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < to);
  }

  /** Retention: everything before `offset` is gone, whole batches only. */
  expire(offset: number): void {
    const keep = this.#indexOf(Math.min(offset, this.stable));
    this.#batches.splice(0, keep);
    this.start = this.#batches[0]?.base ?? this.end;
  }

  /** What a read_committed reader must see, worked out from markers alone and not from the list of aborted transactions. */
  committed(): BatchRecord[] {
    const fate = new Map<Stored, boolean>();
    const pending = new Map<number, Stored[]>();
    for (const batch of this.#batches) {
      if (batch.isControl) {
        for (const one of pending.get(batch.producerId) ?? []) fate.set(one, batch.commit);
        pending.delete(batch.producerId);
      } else if (batch.isTransactional) pending.set(batch.producerId, [...(pending.get(batch.producerId) ?? []), batch]);
      else fate.set(batch, true);
    }
    return this.#batches.filter((batch) => fate.get(batch)).flatMap(({ bytes }) => recordsOf(bytes));
  }

  #store(batch: Buffer, commit = false): Stored {
    const bytes = placedAt(batch, this.end);
    const stored = { ...headOf(bytes), bytes, commit };
    this.#batches.push(stored);
    this.end = stored.last + 1;
    return stored;
  }

  #indexOf(offset: number): number {
    let [low, high] = [0, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#batches[middle]!.last < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #stateOf(producerId: number): ProducerState {
    let state = this.#producers.get(producerId);
    if (state === undefined) this.#producers.set(producerId, (state = new ProducerState()));
    return state;
  }
}
