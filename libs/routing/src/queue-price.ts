/** What a worker last said of itself. */
export interface WorkerLoad {
  /** Rows that wait in it. */
  readonly queued: number;
  /** Fitted time of a batch of n rows, base + perRow * n, in microseconds. */
  readonly base: number;
  readonly perRow: number;
  /** Milliseconds since it said so. */
  readonly age: number;
}

export interface QueuePriceInput {
  /** Every worker of the tier that ever said anything. */
  readonly workers: readonly WorkerLoad[];
  /** The reference tier is waited for, never closed: its answers need no check, and nothing heavier could stand in. */
  readonly heavy: boolean;
  /** Milliseconds after which a silent worker counts as gone. */
  readonly leaseMs: number;
  /** Milliseconds a request of the flow may take. */
  readonly deadlineMs: number;
}

/**
 * Price of waiting for a tier, in units of heavy's cost (w_k of docs/routing.md 3a): the mean wait at its workers as a share of the time
 * that a request has. 0 when idle, and before any worker spoke; infinite (closed) when all that spoke have gone silent.
 */
export function queuePrice({ workers, heavy, leaseMs, deadlineMs }: QueuePriceInput): number {
  const fresh = workers.filter(({ age }) => age <= leaseMs);
  if (fresh.length === 0) return workers.length === 0 || heavy ? 0 : Infinity;
  const waits = fresh.map(({ queued, base, perRow }) => (queued > 0 ? (base + perRow * queued) / 1000 : 0));
  return waits.reduce((sum, wait) => sum + wait, 0) / waits.length / deadlineMs;
}
