import { otherSegment, type Flow, type SegmentPolicy } from '@sluice/domain';
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { SegmentAccount } from './segment-account.ts';

/** Where the whole flow stands. */
export interface Whole {
  /** ln tau at which theta began. */
  readonly anchor: number;
  /** What the flow's theta adds to it. */
  readonly swing: number;
}

/** A segment in figures. */
export interface SegmentStats {
  readonly segment: string;
  readonly events: number;
  readonly theta: number;
  /** Sum of the doubly robust estimates of its loss, in events. */
  readonly estimatedLoss: number;
}

/**
 * The segments of a flow, each with an account of its own (docs/routing.md 3b). The first `most` that are seen are kept apart and never given up,
 * all others share one account. Who comes first is a matter of the log, so it is the same in every fold.
 */
export class Segments {
  readonly #flow: Flow;
  readonly #spec: NonNullable<Flow['target']['segments']>;
  readonly #accounts = new Map<string, SegmentAccount>();

  constructor(flow: Flow, spec: NonNullable<Flow['target']['segments']>) {
    this.#flow = flow;
    this.#spec = spec;
  }

  /** Accounts by another field than the flow's are of no use and left out. */
  read(from: ByteReader): void {
    const ours = from.text() === this.#spec.by;
    for (let left = from.u32(); left > 0; left--) {
      const name = from.text();
      const account = new SegmentAccount(this.#flow);
      account.read(from);
      if (ours) this.#accounts.set(name, account);
    }
  }

  write(to: ByteWriter): void {
    to.text(this.#spec.by).u32(this.#accounts.size);
    for (const [name, account] of this.#accounts) {
      to.text(name);
      account.write(to);
    }
  }

  get stats(): SegmentStats[] {
    return [...this.#accounts].map(([segment, { events, controller }]) => {
      const { theta, estimatedLoss } = controller;
      return { segment, events, theta, estimatedLoss };
    });
  }

  /** One event was served; see `RiskController`. */
  served(segment: string, harm: number, epsilon: number): void {
    if (segment !== '') this.#of(segment).served(harm, epsilon);
  }

  /** A later part of an event's estimate. */
  correct(segment: string, part: number): void {
    // Served before the flow had segments: no account has counted it.
    if (segment !== '') this.#of(segment).controller.correct(part);
  }

  /** ln tau of a segment is the flow's, moved from the flow's theta to its own as far as it is believed. */
  policies({ anchor, swing }: Whole): SegmentPolicy[] {
    const whole = Math.min(0, anchor + swing);
    return [...this.#accounts].map(([segment, { controller, weight, spent }]) => ({
      segment,
      offset: Math.min(0, anchor + swing + weight * (controller.swing - swing)) - whole,
      heavyOnly: spent,
    }));
  }

  #of(segment: string): SegmentAccount {
    const name = this.#accounts.has(segment) || this.#named < this.#spec.most ? segment : otherSegment;
    let account = this.#accounts.get(name);
    if (account === undefined) this.#accounts.set(name, (account = new SegmentAccount(this.#flow)));
    return account;
  }

  /** Segments that have an account of their own. */
  get #named(): number {
    return this.#accounts.size - (this.#accounts.has(otherSegment) ? 1 : 0);
  }
}

/** Only where the flow names segments. */
export function createSegments(flow: Flow): Segments | undefined {
  return flow.target.segments && new Segments(flow, flow.target.segments);
}
