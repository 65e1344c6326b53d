import { auditReferenceHarm, auditSpread } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** After an alarm audits are this many times as frequent, for this many events (routing.md 3b). */
const boost = { factor: 5, events: 1500 };

/** Memory of about the last 200 lightly served events. */
const smoothing = 1 / 200;

/** How often to audit: keeps the mean at the declared rate while decisions aim audits at doubtful events (contract in routing's audit.ts). */
export class AuditPace {
  readonly #rate: number;
  #spread = auditSpread(auditReferenceHarm);
  #boostLeft = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  read(from: ByteReader): void {
    this.#spread = from.f64();
    this.#boostLeft = from.u32();
  }

  write(to: ByteWriter): void {
    to.f64(this.#spread).u32(this.#boostLeft);
  }

  /**
   * The snapshot's `auditRate`: audit probability of an event with a harm of 1 %.
   *
   * Never below the declared rate, although the mean may then exceed it while doubtful events are served: routing audits even the
   * surest event with a quarter of this number, and that quarter is all there is against heads that are sure and wrong. With the scale free to fall to
   * 1/4, a stream sorted by hardness served 3,000 events at 10-22 % harm before an audit noticed.
   */
  get published(): number {
    const scale = Math.min(4, Math.max(1, auditSpread(auditReferenceHarm) / this.#spread));
    return Math.min(1, this.#rate * scale * (this.#boostLeft > 0 ? boost.factor : 1));
  }

  get boosted(): boolean {
    return this.#boostLeft > 0;
  }

  /** @param harm the logged g of a lightly served event, undefined when heavy served. */
  served(harm: number | undefined): void {
    if (this.#boostLeft > 0) this.#boostLeft--;
    if (harm !== undefined) this.#spread += smoothing * (auditSpread(harm) - this.#spread);
  }

  alarm(): void {
    this.#boostLeft = boost.events;
  }
}
