import { codes } from '../protocol/codes.ts';
import type { BatchHead } from '../protocol/record-batch.ts';

interface Written {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly base: number;
}

/** How many batches of a producer a partition remembers (ProducerStateEntry.NUM_BATCHES_TO_RETAIN). */
const remembered = 5;

/** What one partition knows of one producer (ProducerStateEntry, ProducerAppendInfo). */
export class ProducerState {
  epoch = -1;
  /** Where its open transaction began in this partition. */
  openSince: number | undefined;
  #written: Written[] = [];

  /** The batch that was written before with exactly this range of sequence numbers, in the same epoch. */
  duplicateOf(head: BatchHead): Written | undefined {
    if (head.epoch !== this.epoch) return undefined;
    const last = lastSequenceOf(head);
    return this.#written.find((one) => one.firstSequence === head.firstSequence && one.lastSequence === last);
  }

  /** Error code of an append, 0 when it may be written. A partition that knows nothing of a producer takes any sequence. */
  refusal({ epoch, firstSequence }: BatchHead): number {
    if (epoch < this.epoch) return codes.invalidProducerEpoch;
    if (this.epoch < 0) return codes.none;
    const previous = epoch === this.epoch ? (this.#written.at(-1)?.lastSequence ?? -1) : -1;
    return firstSequence === nextSequence(previous) ? codes.none : codes.outOfOrderSequence;
  }

  appended(head: BatchHead): void {
    this.#begin(head.epoch);
    this.#written.push({ firstSequence: head.firstSequence, lastSequence: lastSequenceOf(head), base: head.base });
    if (this.#written.length > remembered) this.#written.shift();
    if (head.isTransactional) this.openSince ??= head.base;
  }

  /** A marker was written: the transaction is over; one of a newer epoch makes the partition forget the older one's batches. */
  ended(epoch: number): void {
    this.#begin(epoch);
    this.openSince = undefined;
  }

  #begin(epoch: number): void {
    if (epoch !== this.epoch) this.#written = [];
    this.epoch = epoch;
  }
}

const wrap = 2 ** 31;
const nextSequence = (previous: number): number => (previous + 1) % wrap;
const lastSequenceOf = ({ firstSequence, base, last }: BatchHead): number => (firstSequence + (last - base)) % wrap;
