/** A key and its new value; null deletes. The same pairs are the records of the changelog topic. */
export type JoinChange = readonly [key: string, value: Uint8Array | null];

/** Where the entries of one partition live: a Map, or an embedded store with synchronous reads. */
export interface JoinStore {
  get(key: string): Uint8Array | undefined;
  /** All changes or none. */
  apply(changes: readonly JoinChange[]): void | Promise<void>;
  entries(): Iterable<readonly [string, Uint8Array]> | AsyncIterable<readonly [string, Uint8Array]>;
}

/** A store in memory, for tests and for windows that fit. */
export function mapStore(): JoinStore & { readonly size: number } {
  const map = new Map<string, Uint8Array>();
  return {
    get size() {
      return map.size;
    },
    get: (key) => map.get(key),
    entries: () => map.entries(),
    apply(changes) {
      for (const [key, value] of changes) {
        if (value === null) map.delete(key);
        else map.set(key, value);
      }
    },
  };
}
