import { Cluster } from '@sluice/broker';

/** The brokers that cells run on: cells in a row with as many share them, each under a flow name of its own. */
export class Arena {
  readonly #onStep: (text: string) => void;
  #open: { readonly brokers: number; readonly cluster: Cluster } | undefined;

  constructor(onStep: (text: string) => void) {
    this.#onStep = onStep;
  }

  /** Brokers that are up and undisturbed. */
  async enter(brokers: 1 | 3): Promise<Cluster> {
    if (this.#open?.brokers !== brokers) await this.close();
    this.#open ??= { brokers, cluster: await Cluster.open({ brokers, onStep: this.#onStep }) };
    return this.#open.cluster;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.cluster.close();
  }
}
