import { decodePolicy } from '@sluice/contracts';
import { SluiceError, toSluiceError, type EpochMs, type Flow, type PolicySnapshot } from '@sluice/domain';
import { policyFault } from './policy-check.ts';
import { initialPolicy, stalePolicy } from './policy.ts';

/** A record of `sluice.policy` as read. */
export interface PolicyRecord {
  readonly value: Uint8Array;
  /** Time stamp of the record, by the clock of whoever published it. */
  readonly at: EpochMs;
}

export interface PolicyGuardOptions {
  readonly flow: Flow;
  readonly signatureWidth: number;
  /** Takes the lines that are worth a log: `policy.refused`, `policy.stale`, `policy.renewed`. */
  readonly warn?: ((event: string, fields: Readonly<Record<string, unknown>>) => void) | undefined;
}

/** What stands between the policy topic and decisions: bad snapshots are refused, the last good one is kept, and believed only during its lease. */
export class PolicyGuard {
  readonly #options: PolicyGuardOptions;
  #held: PolicySnapshot;
  /** When the held snapshot was published; undefined while it is the initial one, which is safe at any age. */
  #at: EpochMs | undefined;
  /** When a snapshot was last believed anew, by our own clock. */
  #heardAt: EpochMs = 0;
  #stale = false;
  #refused = 0;

  constructor(options: PolicyGuardOptions) {
    this.#options = options;
    this.#held = initialPolicy(options.flow);
  }

  /** Snapshots refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** Version of the snapshot that is held, stale or not. */
  get version(): number {
    return this.#held.version;
  }

  /** Time at which the held snapshot was read; 0 for the initial one. */
  get heardAt(): EpochMs {
    return this.#heardAt;
  }

  /** Offset after the newest request of a partition that the held snapshot knows an answer to; undefined when it knows none. */
  heard(partition: number): number | undefined {
    return this.#held.heard[partition] || undefined;
  }

  /**
   * Takes a record of the policy topic; records of other flows are ignored.
   * @param key of the record: the flow's name.
   * @param record undefined for a tombstone, which is refused: nothing is safer than the last good policy and its lease.
   */
  hear(key: string, record: PolicyRecord | undefined, now: EpochMs): void {
    if (key !== this.#options.flow.flow) return;
    const heard = this.#judge(record);
    if (typeof heard === 'string') {
      this.#refused++;
      this.#options.warn?.('policy.refused', { why: heard, kept: this.#held.version });
      return;
    }
    this.#held = heard;
    // A publisher whose clock runs ahead must not lengthen its lease.
    this.#at = Math.min(record!.at, now);
    this.#heardAt = now;
  }

  /** Milliseconds since the held snapshot was published; 0 for the initial one. */
  age(now: EpochMs): number {
    return this.#at === undefined ? 0 : Math.max(0, now - this.#at);
  }

  /** The policy to decide by: the held one, or its safe end once its lease has run out. */
  inForce(now: EpochMs): PolicySnapshot {
    const stale = this.age(now) > this.#options.flow.controller.leaseMs;
    if (stale !== this.#stale) this.#turn(stale, now);
    return stale ? stalePolicy(this.#held) : this.#held;
  }

  #turn(stale: boolean, now: EpochMs): void {
    this.#stale = stale;
    const { leaseMs } = this.#options.flow.controller;
    this.#options.warn?.(stale ? 'policy.stale' : 'policy.renewed', { version: this.#held.version, ageMs: this.age(now), leaseMs });
  }

  /** The snapshot, or why it must not decide. */
  #judge(record: PolicyRecord | undefined): PolicySnapshot | string {
    const { flow, signatureWidth } = this.#options;
    if (record === undefined) return 'the record has no value';
    const policy = read(record.value);
    if (policy instanceof SluiceError) return policy.message;
    const fault = policyFault(flow, signatureWidth, policy);
    if (fault !== undefined) return fault;
    const held = this.#held.version;
    return policy.version < held ? `its version ${policy.version} goes back from ${held}` : policy;
  }
}

function read(value: Uint8Array): PolicySnapshot | SluiceError {
  try {
    return decodePolicy(value);
  } catch (thrown) {
    return toSluiceError(thrown, 'SLUICE_AVRO_INVALID');
  }
}
