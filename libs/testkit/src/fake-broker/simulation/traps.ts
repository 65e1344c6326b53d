import type { ApiName } from '../protocol/apis.ts';
import type { Fate } from '../model/network.ts';
import type { Fault } from './faults.ts';

type Trap = Extract<Fault, { kind: 'trap' }>;

export interface TrapsOptions {
  readonly kill: (client: string) => void;
  /** Whether traps are for this client. */
  readonly isMarked: (client: string) => boolean;
  readonly onSprung: (trap: Trap, client: string) => void;
}

/** Traps that are set, and what they do to the request that springs them. */
export class Traps {
  readonly #set: Trap[] = [];
  readonly #damaged = new Set<string>();
  readonly #options: TrapsOptions;

  constructor(options: TrapsOptions) {
    this.#options = options;
  }

  set(trap: Trap): void {
    this.#set.push(trap);
  }

  /** Nobody is caught any more. */
  clear(): void {
    this.#set.length = 0;
  }

  fate(client: string, api: ApiName): Fate {
    const index = this.#options.isMarked(client) ? this.#set.findIndex((trap) => trap.api === api && trap.action !== 'damage answer') : -1;
    if (index < 0) return {};
    const [trap] = this.#set.splice(index, 1);
    this.#options.onSprung(trap!, client);
    return this.#spring(trap!, client);
  }

  /** Whether a batch on its way to this client is damaged; once per trap and batch, because one that stays damaged is rightly put aside. */
  isDamaged(client: string, batch: string): boolean {
    const index =
      this.#options.isMarked(client) && !this.#damaged.has(batch) ? this.#set.findIndex(({ action }) => action === 'damage answer') : -1;
    if (index < 0) return false;
    this.#damaged.add(batch);
    this.#options.onSprung(this.#set.splice(index, 1)[0]!, client);
    return true;
  }

  #spring({ action, ms }: Trap, client: string): Fate {
    switch (action) {
      case 'lose request':
        return { lost: 'request' };
      case 'lose answer':
        return { lost: 'answer' };
      case 'silence request':
        return { lost: 'request', silence: silence(ms) };
      case 'silence answer':
        return { lost: 'answer', silence: silence(ms) };
      case 'delay':
        return { delay: ms };
      case 'damage answer':
        return {};
      case 'kill before':
        this.#options.kill(client);
        return { lost: 'request' };
      case 'kill after':
        this.#options.kill(client);
        return {};
    }
  }
}

/** Half of the connections that fall silent stay so: no router or peer ever tells. */
const silence = (ms: number): number => (ms % 2 === 0 ? ms : Infinity);
