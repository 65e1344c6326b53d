import type { BudgetLeft } from '@sluice/domain';
import { auditFloor } from './audit.ts';

/**
 * Hands out a budget event by event: reserved when an event is routed, settled when its prediction is counted. An event runs on every tier at most
 * once, for its user or in shadow, so the sum of all costs is the most it can take. Where that can be reserved the event is free to go
 * anywhere (null); else it gets what is there beyond the floor: the cheapest tier for each event that is still to come, and its share of audits.
 *
 * `settle` replaces all that was reserved by what was spent, except for events on their way: a window is overspent by at most what these
 * reserved, and by what even the floor takes when audits are drawn more often than expected (docs/routing.md 3a).
 */
export class BudgetLedger {
  /** Cost of the cheapest tier, and of all tiers. */
  readonly #least: number;
  readonly #most: number;
  /** Beyond the floor. */
  #spare = 0;
  #committed = 0;

  /** @param costs of the tiers, heavy = 1. */
  constructor(costs: readonly number[]) {
    this.#least = Math.min(...costs);
    this.#most = costs.reduce((sum, cost) => sum + cost, 0);
  }

  /**
   * Begins again from what is left.
   * @param share of it that this ledger may hand out, where several do.
   */
  settle({ left, events }: BudgetLeft, auditRate: number, share = 1): void {
    this.#spare = share * (left - events * this.#floor(auditRate));
    this.#committed = this.#spare;
  }

  /**
   * Reserves for one event what its slip's `budget` then says: null for all tiers, else what those that run for its user may cost.
   * @param auditDraw of the event: whoever is sure to be audited has the audit reserved as well, or its estimate would be biased.
   */
  reserve(auditDraw: number, auditRate: number): number | null {
    const floor = this.#floor(auditRate);
    if (this.#spare >= this.#most - floor) {
      this.#spare -= this.#most - floor;
      return null;
    }
    const audited = auditDraw < auditFloor(auditRate);
    const budget = this.#least + Math.max(0, this.#spare);
    this.#spare -= (audited ? this.#most : budget) - floor;
    return budget;
  }

  /** The events reserved for since the last call are on their way; `rollback` takes back what was reserved since. */
  commit(): void {
    this.#committed = this.#spare;
  }

  rollback(): void {
    this.#spare = this.#committed;
  }

  /** What an event takes on average when nothing but the least is granted. */
  #floor(auditRate: number): number {
    return this.#least + auditFloor(auditRate) * (this.#most - this.#least);
  }
}
