import type { BudgetLeft } from '@sluice/domain';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { safeEnd } from './loss-bound.ts';

export interface Budget {
  /** Mean cost per event, heavy = 1, shadow runs included. */
  readonly perEvent: number;
  /** Events over which unspent budget is banked. */
  readonly window: number;
}

/** Largest ln tau: at 20, no harm is worth a twentieth of heavy's cost. */
const highest = 3;

/** Steps per window: the price crosses its whole range within a few hundredths of the window. */
const stepsPerWindow = 200;

/**
 * Pacing of a cost target by dual mirror descent (Balseiro, Lu and Mirrokni, arXiv 2011.10124): the logarithm of the price of cost, which is
 * ln tau, rises with what was spent above the allowance and falls with what was left. The allowance is what the window still has, divided by the events it
 * still has, so what quiet hours save is spent in busy ones of the same window.
 *
 * At its upper end, tau = 20, hardly anything is worth going on for. So a window overspends by at most what is in flight, and what the cheapest tier costs.
 */
export class BudgetPace {
  readonly #budget: Budget;
  #price: number;
  #seen = 0;
  #spent = 0;

  constructor(budget: Budget, price: number) {
    this.#budget = budget;
    this.#price = price;
  }

  read(from: ByteReader): void {
    this.#price = from.f64();
    this.#seen = from.f64();
    this.#spent = from.f64();
  }

  write(to: ByteWriter): void {
    to.f64(this.#price).f64(this.#seen).f64(this.#spent);
  }

  /** ln tau that spends the budget, in [ln 1e-4, 3]. */
  get logThreshold(): number {
    return this.#price;
  }

  /** What the window has left. */
  get remaining(): BudgetLeft {
    const { perEvent, window } = this.#budget;
    return { left: perEvent * window - this.#spent, events: window - this.#seen };
  }

  /** Even the cheapest way spends more than is left. */
  get exhausted(): boolean {
    return this.#price >= highest;
  }

  /** One event was served at this cost, heavy = 1, its shadow runs included. */
  served(cost: number): void {
    const { perEvent, window } = this.#budget;
    const allowance = Math.min(1, Math.max(0, (perEvent * window - this.#spent) / (window - this.#seen)));
    this.#price = Math.min(highest, Math.max(safeEnd, this.#price + (stepsPerWindow / window) * (cost - allowance)));
    this.#spent += cost;
    if (++this.#seen < window) return;
    this.#seen = 0;
    this.#spent = 0;
  }
}
