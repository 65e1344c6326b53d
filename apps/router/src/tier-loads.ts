import { decodeHealth, healthTopic } from '@sluice/contracts';
import type { Clock, Flow, Health } from '@sluice/domain';
import { answerTime, queuePrice, type WorkerLoad } from '@sluice/routing';
import type { Bus, Table } from '@sluice/streaming';

/** Workers publish every two seconds; one that missed five times is gone. */
const leaseMs = 10_000;

/** How the tiers of a flow stand now, in the order of the flow. */
export interface TierState {
  /** Price of waiting in units of cost; infinite when the tier is down. */
  readonly queuePrices: readonly number[];
  /** Expected milliseconds until an answer; 0 when nobody knows. */
  readonly waits: readonly number[];
  /** The bar of a tier that an operator switched off, else ''. */
  readonly bars: readonly string[];
}

/** What the workers of a flow say of themselves, folded into prices and waits. */
export class TierLoads {
  readonly #flow: Flow;
  readonly #clock: Clock;
  /** By our own clock: those of the workers' machines may differ. */
  readonly #heard = new Map<string, { readonly health: Health; readonly at: number }>();
  #table: Table<Health> | undefined;

  private constructor(flow: Flow, clock: Clock) {
    this.#flow = flow;
    this.#clock = clock;
  }

  static async open(bus: Bus, flow: Flow, clock: Clock): Promise<TierLoads> {
    const loads = new TierLoads(flow, clock);
    loads.#table = await bus.openTable({
      topic: healthTopic,
      decode: decodeHealth,
      onChange: (key, health) => loads.#hear(key, health),
    });
    return loads;
  }

  state(): Omit<TierState, 'bars'> {
    const { tiers, request } = this.#flow;
    const workers = tiers.map(({ model }) => this.#workersOf(model));
    return {
      queuePrices: workers.map((ofTier, position) =>
        queuePrice({ workers: ofTier, heavy: position === tiers.length - 1, leaseMs, deadlineMs: request.deadlineMs }),
      ),
      waits: workers.map((ofTier) => answerTime(ofTier, leaseMs)),
    };
  }

  async close(): Promise<void> {
    await this.#table?.close();
  }

  #workersOf(model: string): WorkerLoad[] {
    const now = this.#clock.now();
    return [...this.#heard.values()].filter(({ health }) => health.model === model).map(({ health, at }) => ({ ...health, age: now - at }));
  }

  #hear(key: string, health: Health | undefined): void {
    if (health === undefined) this.#heard.delete(key);
    else if (health.flow === this.#flow.flow) this.#heard.set(key, { health, at: this.#clock.now() });
  }
}
