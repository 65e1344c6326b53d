import { codes } from '../protocol/codes.ts';
import type { ProducerIdentity } from './transactions.ts';

/** A commit as it took effect. `producer` is undefined for one that came through the group. */
export interface OffsetCommit {
  readonly place: string;
  readonly from: number | undefined;
  readonly to: number;
  readonly producer: ProducerIdentity | undefined;
}

/** The committed offsets of one group: what its partition of __consumer_offsets adds up to, open transactions included. */
export class Offsets {
  readonly #committed = new Map<string, number>();
  readonly #pending = new Map<number, Map<string, number>>();
  readonly #epochs = new Map<number, number>();
  /** Every commit that took effect, in order: what an oracle looks through for zombies. */
  readonly history: OffsetCommit[] = [];

  get(place: string): number | undefined {
    return this.#committed.get(place);
  }

  commit(place: string, to: number): void {
    this.#take(place, to, undefined);
  }

  pend({ producerId, epoch }: ProducerIdentity, offsets: ReadonlyMap<string, number>): number {
    if (epoch < (this.#epochs.get(producerId) ?? -1)) return codes.invalidProducerEpoch;
    this.#epochs.set(producerId, epoch);
    this.#pending.set(producerId, new Map([...(this.#pending.get(producerId) ?? []), ...offsets]));
    return codes.none;
  }

  /** A marker of the transaction coordinator arrives. */
  mark({ producerId, epoch, commit }: ProducerIdentity & { commit: boolean }): void {
    if (epoch < (this.#epochs.get(producerId) ?? -1)) return;
    this.#epochs.set(producerId, epoch);
    const pending = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (commit && pending) for (const [place, to] of pending) this.#take(place, to, { producerId, epoch });
  }

  #take(place: string, to: number, producer: ProducerIdentity | undefined): void {
    this.history.push({ place, from: this.#committed.get(place), to, producer });
    this.#committed.set(place, to);
  }
}
