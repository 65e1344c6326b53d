import { LRUCache } from 'lru-cache';

/**
 * The latest ids of one partition, oldest forgotten first: repeated ids among them are duplicates.
 *
 * Ids of a slice stay pending until its transaction commits, so an aborted slice is not mistaken for its own duplicate.
 */
export class IdWindow {
  /** Asking for an id does not make it younger, so what is forgotten first is what was admitted first. */
  readonly #ids: LRUCache<string, true> | undefined;
  readonly #pending = new Set<string>();

  /** @param capacity 0 turns the window off. */
  constructor(capacity: number) {
    this.#ids = capacity === 0 ? undefined : new LRUCache({ max: capacity });
  }

  /** Notes `id`; false when it is already in the window. */
  admit(id: string): boolean {
    if (this.#ids === undefined) return true;
    if (this.#ids.has(id) || this.#pending.has(id)) return false;
    this.#pending.add(id);
    return true;
  }

  commit(): void {
    for (const id of this.#pending) this.#ids?.set(id, true);
    this.#pending.clear();
  }

  rollback(): void {
    this.#pending.clear();
  }

  get size(): number {
    return this.#ids?.size ?? 0;
  }
}
