import type { CertifiedLoss } from '@sluice/domain';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { certify } from './confidence-bound.ts';
import { fingerprintOf } from './recent-ids.ts';

/** Audits that may wait for their comparison, and disagreements that may wait for their truth; beyond that the oldest counts as harm for good. */
const capacity = { open: 1024, suspected: 512 };

/** What is known of an audit. Harm implies disagreement, so agreement clears it at once; a disagreement is suspected until the truth comes. */
const states = ['open', 'clean', 'suspected', 'harmed'] as const;
type State = (typeof states)[number];

interface Audit {
  readonly probability: number;
  /** Events served after it and before the next open one. */
  behind: number;
  state: State;
}

/**
 * The loss of one regime, from the start of control or the latest alarm on, with an interval that holds at every moment at once
 * (docs/routing.md 3d). Sums A y / p in the order of decisions, up to the first audit that is not yet compared; a suspected harm counts in
 * the upper end and not in the lower.
 */
export class Certificate {
  #events = 0;
  #harm = 0;
  #suspected = 0;
  #squares = 0;
  #pMin = 1;
  /** In the order of decisions, the open one first. */
  readonly #audits = new Map<number, Audit>();
  #newest: Audit | undefined;
  /** Counted already, truth awaited: fingerprint to probability. */
  readonly #awaited = new Map<number, number>();

  read(from: ByteReader): void {
    this.#events = from.f64();
    this.#harm = from.f64();
    this.#suspected = from.f64();
    this.#squares = from.f64();
    this.#pMin = from.f64();
    for (let left = from.u32(); left > 0; left--) {
      const fingerprint = from.f64();
      this.#newest = { probability: from.f64(), behind: from.u32(), state: states[from.u8()]! };
      this.#audits.set(fingerprint, this.#newest);
    }
    for (let left = from.u32(); left > 0; left--) this.#awaited.set(from.f64(), from.f64());
  }

  write(to: ByteWriter): void {
    to.f64(this.#events).f64(this.#harm).f64(this.#suspected).f64(this.#squares).f64(this.#pMin);
    to.u32(this.#audits.size);
    for (const [fingerprint, { probability, behind, state }] of this.#audits) {
      to.f64(fingerprint).f64(probability).u32(behind).u8(states.indexOf(state));
    }
    to.u32(this.#awaited.size);
    for (const [fingerprint, probability] of this.#awaited) to.f64(fingerprint).f64(probability);
  }

  get loss(): CertifiedLoss {
    const sums = { events: this.#events, harm: this.#harm, suspected: this.#suspected, squares: this.#squares };
    return certify({ ...sums, pMin: this.#pMin });
  }

  /** Whether the loss of the regime is above `declared` beyond doubt. */
  broken(declared: number): boolean {
    // The sum is far cheaper than the interval and never below its lower end.
    return this.#harm > declared * this.#events && this.loss.lower > declared;
  }

  /** One event was served, by a light tier with this audit probability or (1) by heavy. */
  served(id: string, probability: number, audited: boolean): void {
    this.#pMin = Math.min(this.#pMin, probability);
    if (audited) {
      this.#newest = { probability, behind: 0, state: 'open' };
      this.#audits.set(fingerprintOf(id), this.#newest);
      if (this.#audits.size > capacity.open) this.#audits.values().next().value!.state = 'harmed';
      this.#advance();
    } else if (this.#newest === undefined) this.#events++;
    else this.#newest.behind++;
  }

  /** All tiers have answered an audited event. */
  compared(id: string, disagreed: boolean): void {
    const audit = this.#audits.get(fingerprintOf(id));
    if (audit?.state !== 'open') return;
    audit.state = disagreed ? 'suspected' : 'clean';
    this.#advance();
  }

  /** The last word on an audit; ignored when it belongs to an earlier regime. */
  settled(id: string, harmed: boolean): void {
    const fingerprint = fingerprintOf(id);
    const audit = this.#audits.get(fingerprint);
    if (audit !== undefined) {
      audit.state = harmed ? 'harmed' : 'clean';
      this.#advance();
    }
    const probability = this.#awaited.get(fingerprint);
    if (probability === undefined) return;
    this.#awaited.delete(fingerprint);
    this.#suspected -= 1 / probability;
    if (harmed) this.#harm += 1 / probability;
    else this.#squares -= 1 / probability ** 2;
  }

  /** A new regime: what was served before says nothing about it. */
  restart(): void {
    this.#events = this.#harm = this.#suspected = this.#squares = 0;
    this.#pMin = 1;
    this.#audits.clear();
    this.#awaited.clear();
    this.#newest = undefined;
  }

  #advance(): void {
    for (const [fingerprint, audit] of this.#audits) {
      if (audit.state === 'open') return;
      this.#count(fingerprint, audit);
      this.#audits.delete(fingerprint);
    }
    this.#newest = undefined;
  }

  #count(fingerprint: number, { probability, behind, state }: Audit): void {
    this.#events += 1 + behind;
    if (state === 'clean') return;
    this.#squares += 1 / probability ** 2;
    if (state === 'harmed') this.#harm += 1 / probability;
    else this.#await(fingerprint, probability);
  }

  #await(fingerprint: number, probability: number): void {
    this.#suspected += 1 / probability;
    this.#awaited.set(fingerprint, probability);
    if (this.#awaited.size > capacity.suspected) this.#awaited.delete(this.#awaited.keys().next().value!);
  }
}
