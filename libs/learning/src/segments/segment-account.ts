import type { Flow } from '@sluice/domain';
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { safeEnd } from '../loss-bound.ts';
import { RiskController } from '../risk-controller.ts';

/**
 * What may still be lost in one segment: a theta of its own, moved by the estimates of its own events just as the flow's is by all. The theorem of
 * docs/loss-bound.md therefore holds for it with its own events in place of all, as long as heavy alone serves the segment once it is spent.
 */
export class SegmentAccount {
  readonly controller: RiskController;
  /** Events at which half of the account's word counts: as many as hold one audited harm at the declared loss. */
  readonly #half: number;
  #events = 0;

  constructor({ target, controller, audit }: Flow) {
    this.controller = new RiskController({ epsilon: target.maxLoss, eta: controller.gain });
    this.#half = 1 / (target.maxLoss * audit.rate);
  }

  read(from: ByteReader): void {
    this.controller.read(from);
    this.#events = from.f64();
  }

  write(to: ByteWriter): void {
    this.controller.write(to);
    to.f64(this.#events);
  }

  get events(): number {
    return this.#events;
  }

  get spent(): boolean {
    return this.controller.theta <= safeEnd;
  }

  /**
   * How far the segment is believed where it says otherwise than the flow, n / (n + n_0): the estimate of a gamma prior with one event's worth of harm, as
   * in empirical Bayes. A segment of 30 events has not been audited often enough to differ by more than chance.
   */
  get weight(): number {
    return this.#events / (this.#events + this.#half);
  }

  served(harm: number, epsilon: number): void {
    this.#events++;
    this.controller.served(harm, epsilon);
  }
}
