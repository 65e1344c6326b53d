import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '@sluice/domain';
import type { Bus, Publisher } from '@sluice/streaming';

/**
 * The producer of a cell: does not give up while brokers come and go (what it sends twice the router declares as dropped), and can be
 * held and started anew.
 */
export class CellProducer implements Publisher {
  readonly #newBus: () => Bus;
  #bus: Bus;
  /** Undefined until it is needed, and again where it could not be opened: there may be no broker yet. */
  #publisher: Promise<Publisher> | undefined;
  #gate: PromiseWithResolvers<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(newBus: () => Bus) {
    this.#newBus = newBus;
    this.#bus = newBus();
  }

  async publish(records: Parameters<Publisher['publish']>[0]): Promise<void> {
    if (this.#gate === undefined) {
      this.#last = this.#persist(records);
      return this.#last;
    }
    await this.#gate.promise;
    const timestamp = Date.now();
    await this.#persist(records.map((record) => ({ ...record, timestamp })));
  }

  /** Lets nothing through until `release`; resolves when what was on its way is written. */
  async hold(): Promise<void> {
    this.#gate = Promise.withResolvers();
    await this.#last;
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Begins anew, with nothing known of topics. */
  async renew(): Promise<void> {
    const before = this.#bus;
    this.#bus = this.#newBus();
    this.#publisher = undefined;
    await this.#opened();
    await before.close();
  }

  async close(): Promise<void> {
    await this.#bus.close();
  }

  #opened(): Promise<Publisher> {
    if (this.#publisher !== undefined) return this.#publisher;
    const opened = this.#bus.openPublisher();
    this.#publisher = opened;
    opened.catch(() => (this.#publisher = this.#publisher === opened ? undefined : this.#publisher));
    return opened;
  }

  async #persist(records: Parameters<Publisher['publish']>[0]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await (await this.#opened()).publish(records);
      } catch (cause) {
        if (tries === 60) throw new SluiceError('SLUICE_BROKER_UNREACHABLE', 'the producer of the cell could not publish', { cause });
        await sleep(500);
      }
    }
  }
}
