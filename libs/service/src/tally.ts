import type { Sample } from './metrics.ts';

/** One partition's part of a tally: what a slice counted is added when it commits, and forgotten when it aborts. */
export interface TallyPart<Label extends string> {
  count(labels: Readonly<Record<Label, string>>): void;
  commit(): void;
  rollback(): void;
}

/** Counts by labels of what has been committed, over all partitions of a process. */
export class Tally<Label extends string> {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<Label, string>>; value: number }>();

  part(): TallyPart<Label> {
    let pending: Readonly<Record<Label, string>>[] = [];
    return {
      count: (labels) => void pending.push(labels),
      commit: () => {
        for (const labels of pending) this.#add(labels);
        pending = [];
      },
      rollback: () => (pending = []),
    };
  }

  samples(): readonly Sample[] {
    return [...this.#counts.values()];
  }

  #add(labels: Readonly<Record<Label, string>>): void {
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { labels, value: 1 });
    else known.value++;
  }
}
