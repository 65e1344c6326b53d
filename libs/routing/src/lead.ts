import type { EpochMs, Flow, PolicySnapshot } from '@sluice/domain';
import type { Place } from './place.ts';
import type { PolicyGuard } from './policy-guard.ts';
import { stalePolicy } from './policy.ts';

/** Of one partition. */
interface Known {
  /** Offset of the first request seen. */
  readonly first: number;
  /** Offset after the last slice that was committed. */
  next: number;
  /** Slices that the learner has not heard of to their end: the offset after each, and how many of its requests were decided. */
  readonly open: { readonly next: number; readonly decided: number }[];
  /** Sum over them. */
  ahead: number;
  /** When a slice was last decided. */
  decidedAt: EpochMs;
}

/** How often a waiting router looks again. */
const stepMs = 20;

/** Longest time without a sign of the learner that requests wait for it; less where their deadline is near. */
const patienceMs = 2_000;

/**
 * Keeps the router within `controller.maxLead` decided requests of the learner: bounded staleness (Ho et al., More effective distributed ML via a stale
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

  /** Requests decided beyond the newest that the learner has heard of, over all partitions. */
  get requests(): number {
    let sum = 0;
    for (const [partition, known] of this.#partitions) sum += this.#aheadOf({ partition, offset: known.next }, known);
    return sum;
  }

  /** What another process did with the partition meanwhile is not known: it is counted by offsets. */
  takeOver(partition: number): void {
    this.#partitions.delete(partition);
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
    if (this.#aheadOf(place, known) < this.#limit) return policy;
    this.#silent = policy.version;
    return stalePolicy(policy);
  }

  /**
   * A slice is committed.
   * @param last its last request.
   * @param decided how many of its requests went to a tier: the others are nothing to learn from.
   */
  committed({ partition, offset }: Place, decided: number): void {
    const known = this.#partitions.get(partition);
    if (known === undefined) return;
    known.next = offset + 1;
    if (decided === 0) return;
    known.open.push({ next: offset + 1, decided });
    known.ahead += decided;
  }

  #known({ partition, offset }: Place, now: EpochMs): Known {
    let known = this.#partitions.get(partition);
    if (known === undefined) this.#partitions.set(partition, (known = { first: offset, next: offset, open: [], ahead: 0, decidedAt: now }));
    return known;
  }

  /** Requests between the newest heard of and this one; those not yet decided, and those before the partition was taken over, all count. */
  #aheadOf({ partition, offset }: Place, known: Known): number {
    const heard = this.#guard.heard(partition);
    while (heard !== undefined && known.open.length > 0 && known.open[0]!.next <= heard) known.ahead -= known.open.shift()!.decided;
    const before = heard === undefined ? 0 : Math.max(0, known.first - heard);
    return before + known.ahead + Math.max(0, offset - known.next);
  }
}
