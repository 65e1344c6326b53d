import { decodeHealth, healthTopic } from '@sluice/contracts';
import type { Clock, Flow, Health } from '@sluice/domain';
import { queuePrice } from '@sluice/routing';
import type { Bus, Table } from '@sluice/streaming';

/** Workers publish every two seconds; one that missed five times is gone. */
const leaseMs = 10_000;

/** What the workers of a flow say of themselves, folded into a price per tier. */
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

  /** Price of waiting for each tier now, in the order of the flow. */
  prices(): readonly number[] {
    const now = this.#clock.now();
    const { tiers, request } = this.#flow;
    return tiers.map(({ model }, position) => {
      const workers = [...this.#heard.values()]
        .filter(({ health }) => health.model === model)
        .map(({ health, at }) => ({ queued: health.queued, base: health.base, perRow: health.perRow, age: now - at }));
      return queuePrice({ workers, heavy: position === tiers.length - 1, leaseMs, deadlineMs: request.deadlineMs });
    });
  }

  async close(): Promise<void> {
    await this.#table?.close();
  }

  #hear(key: string, health: Health | undefined): void {
    if (health === undefined) this.#heard.delete(key);
    else if (health.flow === this.#flow.flow) this.#heard.set(key, { health, at: this.#clock.now() });
  }
}
