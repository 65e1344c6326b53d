import { auditReferenceHarm, auditSpread } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Memory of about the last 200 lightly served events. */
const smoothing = 1 / 200;

/** How often to audit: keeps the mean at the declared rate while decisions aim audits at doubtful events (contract in routing's audit.ts). */
export class AuditPace {
  readonly #rate: number;
  #spread = auditSpread(auditReferenceHarm);

  constructor(rate: number) {
    this.#rate = rate;
  }

  read(from: ByteReader): void {
    this.#spread = from.f64();
  }

  write(to: ByteWriter): void {
    to.f64(this.#spread);
  }

  /**
   * The snapshot's `auditRate`: audit probability of an event with a harm of 1 %.
   *
   * Never below the declared rate, although the mean may then exceed it while doubtful events are served: routing audits even the
   * surest event with half of this number, and that half is all there is against heads that are sure and wrong. It was a quarter once, and one
   * disagreement among the surest then moved theta by 2.7, as far as 9,000 events of heavy pay in.
   */
  published(vigilance: number): number {
    const scale = Math.min(4, Math.max(1, auditSpread(auditReferenceHarm) / this.#spread));
    return Math.min(1, this.#rate * scale * vigilance);
  }

  /** The same where a budget binds: the mean stays at the declared rate, whatever harm is served. */
  get frugal(): number {
    return this.#rate * Math.min(1, auditSpread(auditReferenceHarm) / this.#spread);
  }

  /** @param harm the logged g of a lightly served event. */
  served(harm: number): void {
    this.#spread += smoothing * (auditSpread(harm) - this.#spread);
  }
}
