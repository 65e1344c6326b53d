import { defineMachine, type EpochMs, type Machine, type Transitions } from '@sluice/domain';

export type CircuitState = 'closed' | 'open' | 'half-open';

export const circuitTransitions: Transitions<CircuitState> = {
  closed: ['open'],
  /** Left alone until its dwell time is over. */
  open: ['half-open'],
  /** One call at a time tries it. */
  'half-open': ['open', 'closed'],
};

export interface CircuitOptions {
  readonly name: string;
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Shortest time it stays open, in milliseconds, and longest. */
  readonly dwellMs: number;
  readonly longestMs: number;
  /** Uniform in [0, 1): spreads the first tries of those that opened together. */
  readonly random: () => number;
}

/** Leave to call. What it led to counts only while the circuit is as it was when leave was given. */
export interface Pass {
  readonly life: number;
}

/** What a call showed of the other side; `nothing` when all that went wrong was the caller's own. */
export type Evidence = 'answered' | 'failed' | 'nothing';

/**
 * A circuit breaker without clock and chance of its own. Once open it stays so for at least the declared dwell time, doubled with every opening in
 * a row up to the longest, less up to half by jitter ("equal jitter", Brooker 2015). The row ends only when it stayed closed for a whole dwell time.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #machine: Machine<CircuitState>;
  /** Grows with every change of state. */
  #life = 0;
  #failed = 0;
  #openings = 0;
  #until: EpochMs = -Infinity;
  #closedAt: EpochMs = -Infinity;
  #isTrying = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
    const onChange = (): void => {
      this.#life++;
      this.#isTrying = false;
    };
    this.#machine = defineMachine(`circuit ${options.name}`, circuitTransitions, { start: 'closed', onChange });
  }

  get state(): CircuitState {
    return this.#machine.state;
  }

  /** True while calls would be refused for their time alone: the moment it may be tried again, callers must come, or nobody would try. */
  isOpen(now: EpochMs): boolean {
    return this.#machine.is('open') && now < this.#until;
  }

  /** Leave to call; undefined while it is open, and while another tries it. */
  enter(now: EpochMs): Pass | undefined {
    if (this.#machine.is('open') && now >= this.#until) this.#machine.to('half-open');
    if (this.#machine.is('open') || this.#isTrying) return undefined;
    this.#isTrying = this.#machine.is('half-open');
    return { life: this.#life };
  }

  leave({ life }: Pass, evidence: Evidence, now: EpochMs): void {
    if (life !== this.#life) return;
    this.#isTrying = false;
    if (evidence === 'answered') this.#answered(now);
    else if (evidence === 'failed' && (this.#machine.is('half-open') || ++this.#failed >= this.#options.failures)) this.#open(now);
  }

  /** Opens it for what no call shows. One that is open has its time already, and one that is tried is judged by that try alone. */
  trip(now: EpochMs): void {
    if (this.#machine.is('closed')) this.#open(now);
  }

  #answered(now: EpochMs): void {
    this.#failed = 0;
    if (!this.#machine.is('half-open')) return;
    this.#closedAt = now;
    this.#machine.to('closed');
  }

  #open(now: EpochMs): void {
    const { dwellMs, longestMs, random } = this.#options;
    if (this.#machine.is('closed') && now - this.#closedAt >= dwellMs) this.#openings = 0;
    const whole = Math.min(longestMs, dwellMs * 2 ** ++this.#openings);
    this.#until = now + Math.max(dwellMs, (whole / 2) * (1 + random()));
    this.#failed = 0;
    this.#machine.to('open');
  }
}
