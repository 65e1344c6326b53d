import type { EpochMs, Flow, PolicySnapshot, Source } from '@sluice/domain';
import type { PolicyGuard } from './policy-guard.ts';
import { stalePolicy } from './policy.ts';

/** Where a request stands in the request topic. */
export type Place = Pick<Source, 'partition' | 'offset'>;

/** Of one partition. */
interface Known {
  /** Offset of the first request seen. */
  readonly first: number;
  /** Requests between the newest that the learner had heard of and the last one decided. */
  ahead: number;
  /** When a request was last decided. */
  decidedAt: EpochMs;
}

/** How often a waiting router looks again. */
const stepMs = 20;

/** Longest time without a sign of the learner that requests wait for it; less where their deadline is near. */
const patienceMs = 2_000;

/**
 * Keeps the router within `controller.maxLead` requests of the learner: bounded staleness (Ho et al., More effective distributed ML via a stale
 * synchronous parallel parameter server, NIPS 2013, section 2). A decision far ahead of what the learner has heard is one that nothing corrects, and
 * a router is many times as fast as the models behind it. So requests wait while policies come; when none comes, heavy serves.
 */
export class Lead {
  readonly #guard: PolicyGuard;
  /** Requests per partition. */
  readonly #limit: number;
  readonly #patienceMs: number;
  readonly #partitions = new Map<number, Known>();
  /** Version that was waited for in vain. */
  #silent = -1;

  constructor({ controller, request }: Flow, guard: PolicyGuard) {
    this.#guard = guard;
    this.#limit = controller.enabled ? Math.ceil(controller.maxLead / request.partitions) : Infinity;
    this.#patienceMs = Math.min(patienceMs, request.deadlineMs / 4);
  }

  /** Requests decided beyond the newest that the learner had heard of, over all partitions. */
  get requests(): number {
    let sum = 0;
    for (const { ahead } of this.#partitions.values()) sum += ahead;
    return sum;
  }

  /** Before this time the request is not to be decided. */
  waitsUntil(place: Place, now: EpochMs): EpochMs {
    const known = this.#known(place, now);
    if (this.#aheadOf(place, known) < this.#limit || this.#silent === this.#guard.version) return 0;
    return now - Math.max(known.decidedAt, this.#guard.heardAt) < this.#patienceMs ? now + stepMs : 0;
  }

  /** The policy to decide a slice by that begins with this request: at its safe end where the wait was in vain. */
  inForce(place: Place, now: EpochMs): PolicySnapshot {
    const policy = this.#guard.inForce(now);
    const known = this.#known(place, now);
    known.decidedAt = now;
    known.ahead = this.#aheadOf(place, known);
    if (known.ahead < this.#limit) return policy;
    this.#silent = policy.version;
    return policy.heavyOnly ? policy : stalePolicy(policy);
  }

  #known({ partition, offset }: Place, now: EpochMs): Known {
    let known = this.#partitions.get(partition);
    if (known === undefined) this.#partitions.set(partition, (known = { first: offset, ahead: 0, decidedAt: now }));
    return known;
  }

  #aheadOf({ partition, offset }: Place, { first }: Known): number {
    return Math.max(0, offset - (this.#guard.heard(partition) ?? first));
  }
}
