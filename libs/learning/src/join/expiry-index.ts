import type { EpochMs } from '@sluice/domain';

export interface Expiry {
  readonly at: EpochMs;
  readonly id: string;
}

/**
 * Ids by expiry, earliest first, equal times by id: a binary heap, so that the order depends on the entries alone and not on
 * how they came here (by facts or from a changelog). It may hold more than the store does: whoever pops checks that the entry still
 * stands with that expiry.
 */
export class ExpiryIndex {
  readonly #heap: Expiry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(item: Expiry): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  /** Removes and returns the earliest expiry if it lies before `time`. */
  popBefore(time: EpochMs): Expiry | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at >= time) return undefined;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(item: Expiry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, item)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = item;
  }
}

function before(one: Expiry, other: Expiry): boolean {
  return one.at < other.at || (one.at === other.at && one.id < other.id);
}
