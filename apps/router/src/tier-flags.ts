import { flagsTopic } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import type { Bar } from '@sluice/routing';
import type { Bus, Table } from '@sluice/streaming';

/** Tiers that an operator has switched off: key flow/tier, the value says why in plain text; a deleted key is a tier switched on. */
export class TierFlags {
  readonly #flow: Flow;
  readonly #table: Table<string>;

  private constructor(flow: Flow, table: Table<string>) {
    this.#flow = flow;
    this.#table = table;
  }

  static async open(bus: Bus, flow: Flow): Promise<TierFlags> {
    return new TierFlags(flow, await bus.openTable({ topic: flagsTopic, decode: (value) => value.toString() }));
  }

  /** One per tier: the bar of one that is switched off, else ''. */
  bars(): readonly (Bar | '')[] {
    const { flow, tiers } = this.#flow;
    return tiers.map(({ name }) => (this.#table.get(`${flow}/${name}`) === undefined ? '' : 'switched-off'));
  }

  close(): Promise<void> {
    return this.#table.close();
  }
}
