import type { Millis } from '@sluice/domain';

/** What a worker last said of itself. */
export interface WorkerLoad {
  /** Rows that wait in it. */
  readonly queued: number;
  /** Fitted time of a batch of n rows, base + perRow * n, in microseconds. */
  readonly base: number;
  readonly perRow: number;
  /** Milliseconds since it said so. */
  readonly age: number;
  /** Its model fails and is left alone for the moment: its events go on to the fallback. */
  readonly breakerOpen: boolean;
  /** Milliseconds that a record put on its topic now would wait until it is taken, as far as the worker knows. */
  readonly delay: Millis;
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
 * that a request has. 0 when idle, and before any worker spoke; infinite (closed) when all that spoke have gone silent or keep away from
 * their model.
 */
export function queuePrice({ workers, heavy, leaseMs, deadlineMs }: QueuePriceInput): number {
  const fresh = living(workers, leaseMs).filter(({ breakerOpen }) => !breakerOpen);
  if (fresh.length === 0) return workers.length === 0 || heavy ? 0 : Infinity;
  return mean(fresh.map(({ queued, base, perRow }) => (queued > 0 ? (base + perRow * queued) / 1000 : 0))) / deadlineMs;
}

/**
 * Expected whole milliseconds from now until a tier has answered one more request: what waits before it, in the worker or on its topic, and the
 * batch it comes with, T(n) = base + perRow n. 0 when no worker is alive to say.
 */
export function answerTime(workers: readonly WorkerLoad[], leaseMs: Millis): Millis {
  const fresh = living(workers, leaseMs);
  return fresh.length === 0 ? 0 : Math.ceil(mean(fresh.map(answerTimeOf)));
}

function answerTimeOf({ queued, base, perRow, delay }: WorkerLoad): Millis {
  const batch = (rows: number): Millis => (base + perRow * rows) / 1000;
  return Math.max(batch(queued + 1), delay + batch(1));
}

const living = (workers: readonly WorkerLoad[], leaseMs: Millis): WorkerLoad[] => workers.filter(({ age }) => age <= leaseMs);
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
