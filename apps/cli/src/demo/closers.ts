/** Things to close in reverse order of opening, all of them even when one fails. Node 22 has no AsyncDisposableStack. */
export class Closers {
  readonly #close: (() => Promise<unknown>)[] = [];

  defer(close: () => Promise<unknown>): void {
    this.#close.push(close);
  }

  /** @throws the first failure, after everything was tried. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#close.toReversed()) await close().catch((thrown: unknown) => failures.push(thrown));
    this.#close.length = 0;
    if (failures.length > 0) throw failures[0];
  }
}
