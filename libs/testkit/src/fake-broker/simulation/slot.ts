import { kafkaBus, type Bus, type KafkaBusOptions, type Pipe, type PipeSpec } from '@sluice/streaming';

export interface SlotOptions {
  readonly name: string;
  readonly spec: PipeSpec;
  /** How the process of this name reaches the cluster. */
  readonly busOptions: (client: string) => KafkaBusOptions;
}

/** What a supervisor waits before it starts a process that ended by itself. */
const restartAfter = 1_000;

/** A process that a supervisor keeps alive: a bus with one pipe, and its successors. */
export class Slot {
  readonly #options: SlotOptions;
  #life = 0;
  #bus: Bus | undefined;
  #isClosed = false;
  /** Processes that ended by themselves, with their reason. */
  readonly failures: string[] = [];

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Name of the present process on the network. */
  get client(): string {
    return `${this.#options.name}.${this.#life}`;
  }

  start(): void {
    if (this.#isClosed) return;
    this.#life++;
    const bus = (this.#bus = kafkaBus(this.#options.busOptions(this.client)));
    void this.#watch(bus);
  }

  /** The network has cut the process off for good; its successor comes after `away` ms. */
  killed(away: number): void {
    const bus = this.#bus;
    this.#bus = undefined;
    void bus?.close();
    this.#startAfter(away);
  }

  async restart(away: number): Promise<void> {
    const bus = this.#bus;
    if (bus === undefined) return;
    const life = this.#life;
    this.#bus = undefined;
    await bus.close();
    // Killed while it closed: its successor is there already.
    if (life === this.#life) this.#startAfter(away);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#bus?.close();
  }

  async #watch(bus: Bus): Promise<void> {
    try {
      const pipe: Pipe = await bus.openPipe(this.#options.spec);
      await pipe.done;
    } catch (thrown) {
      if (this.#bus !== bus) return;
      this.failures.push(String(thrown));
      this.#bus = undefined;
      await bus.close();
      this.#startAfter(restartAfter);
    }
  }

  /** Of several successors that are announced only the first comes. */
  #startAfter(ms: number): void {
    const life = this.#life;
    setTimeout(() => {
      if (life === this.#life) this.start();
    }, ms);
  }
}
