import type { ModelServer } from './server.ts';

/** A server in memory that calls may still be using when it is to go. It closes after the last of them. */
export class Resident {
  readonly server: ModelServer;
  /** What it counts for in the memory budget. */
  readonly bytes: number;
  /** Resolves when it has been retired and its threads have ended. */
  readonly gone: Promise<void>;
  #leases = 0;
  #retired = false;
  #close!: () => void;

  constructor(server: ModelServer, bytes: number) {
    this.server = server;
    this.bytes = bytes;
    this.gone = new Promise<void>((resolve) => (this.#close = resolve)).then(() => server.close());
    // Whoever awaits it sees the failure; nobody else is to be ended by it.
    this.gone.catch(() => undefined);
  }

  get retired(): boolean {
    return this.#retired;
  }

  async use<T>(work: (server: ModelServer) => Promise<T>): Promise<T> {
    this.#leases++;
    try {
      return await work(this.server);
    } finally {
      this.#leases--;
      this.#closeWhenFree();
    }
  }

  /** Takes no new calls; those under way are answered. */
  retire(): void {
    this.#retired = true;
    this.#closeWhenFree();
  }

  #closeWhenFree(): void {
    if (this.#retired && this.#leases === 0) this.#close();
  }
}
