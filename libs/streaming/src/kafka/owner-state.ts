import type { Transitions } from '@sluice/domain';

/** The way of one partition through a pipe. */
export const ownerTransitions = {
  /** Assigned; no producer. */
  assigned: ['fencing', 'closed'],
  /** A new producer takes the transactional id over; then the committed offset is read. */
  fencing: ['running', 'poisoned', 'closed'],
  running: ['fencing', 'poisoned', 'fenced', 'closed'],
  /** Something failed: the producer is thrown away whatever it was. */
  poisoned: ['fencing', 'closed'],
  /** Another process took the id over: nothing is done before the group confirms that the partition is ours. */
  fenced: ['fencing', 'closed'],
  closed: [],
} as const satisfies Transitions<string>;

export type OwnerState = keyof typeof ownerTransitions;
