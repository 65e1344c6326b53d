/**
 * The latest ids of one partition, oldest forgotten first: repeated ids among them are duplicates.
 *
 * Ids of a slice stay pending until its transaction commits, so an aborted slice is not mistaken for its own duplicate.
 */
export class IdWindow {
  readonly #capacity: number;
  readonly #ids = new Set<string>();
  readonly #pending = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Notes `id`; false when it is already in the window. */
  admit(id: string): boolean {
    if (this.#capacity === 0) return true;
    if (this.#ids.has(id) || this.#pending.has(id)) return false;
    this.#pending.add(id);
    return true;
  }

  commit(): void {
    for (const id of this.#pending) this.#ids.add(id);
    this.#pending.clear();
    let surplus = this.#ids.size - this.#capacity;
    if (surplus <= 0) return;
    for (const id of this.#ids) {
      if (surplus-- <= 0) break;
      this.#ids.delete(id);
    }
  }

  rollback(): void {
    this.#pending.clear();
  }

  get size(): number {
    return this.#ids.size;
  }
}
