import { encodeOutcome, header, topicsOf } from '@sluice/contracts';
import type { Clock, Flow } from '@sluice/domain';
import type { Publisher } from '@sluice/streaming';
import { due } from './pace.ts';

/** One request of a demo stream with what only the demo knows: its true label and when that becomes known. */
export interface DemoRequest {
  readonly id: string | undefined;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string | Buffer>>;
  /** Milliseconds from publication to its outcome; undefined when none ever comes. */
  readonly outcomeDelayMs: number | undefined;
  readonly truth: string | undefined;
}

export interface StreamOptions {
  readonly flow: Flow;
  readonly requests: Iterable<DemoRequest>;
  readonly publisher: Publisher;
  readonly clock: Clock;
  /** Events per second; Infinity: as fast as the broker takes them. */
  readonly rate: number;
  /** Requests that may wait for their answer before the producer waits for them. */
  readonly maxWaiting: number;
  readonly answered: () => number;
  readonly signal: AbortSignal;
}

interface DueOutcome {
  /** How many requests were published before its own. */
  readonly sequence: number;
  readonly id: string;
  readonly label: string;
  readonly at: number;
}

const largestBatch = 500;
const restMs = 10;

/** Publishes requests at the asked rate and their outcomes when they are due, as two upstream systems would. */
export class DemoStream {
  readonly #options: StreamOptions;
  readonly #topics: ReturnType<typeof topicsOf>;
  readonly #outcomes: DueOutcome[] = [];
  #exhausted = false;
  published = 0;
  outcomesPublished = 0;
  /** For each outcome, how many requests were published between its request and itself: the delay D of the loss bound, in events. */
  readonly delays: number[] = [];

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#topics = topicsOf(options.flow.flow);
  }

  /** Resolves when every request and every outcome is published, or the signal aborts. */
  async run(): Promise<void> {
    const { signal, clock } = this.#options;
    const requests = this.#options.requests[Symbol.iterator]();
    const start = clock.now();
    while (!signal.aborted && !(this.#exhausted && this.#outcomes.length === 0)) {
      const sent = await this.#publishRequests(requests, clock.now() - start);
      await this.#publishOutcomes(this.#exhausted);
      if (sent === 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }

  async #publishRequests(requests: Iterator<DemoRequest>, elapsedMs: number): Promise<number> {
    const { rate, maxWaiting, answered, publisher } = this.#options;
    const room = Math.min(due(rate, elapsedMs), maxWaiting + answered()) - this.published;
    const batch: DemoRequest[] = [];
    while (!this.#exhausted && batch.length < Math.min(room, largestBatch)) {
      const next = requests.next();
      if (next.done === true) this.#exhausted = true;
      else batch.push(next.value);
    }
    if (batch.length === 0) return 0;
    await publisher.publish(batch.map((request, index) => this.#record(request, this.published + index)));
    this.published += batch.length;
    return batch.length;
  }

  #record(request: DemoRequest, sequence: number) {
    const now = this.#options.clock.now();
    if (request.id !== undefined && request.truth !== undefined && request.outcomeDelayMs !== undefined) {
      this.#outcomes.push({ sequence, id: request.id, label: request.truth, at: now + request.outcomeDelayMs });
    }
    const id = request.id === undefined ? {} : { [header.ceId]: request.id };
    // A keyless record would be spread by whoever publishes: the running number does it evenly.
    const partition = request.key === null ? { partition: sequence % this.#options.flow.request.partitions } : {};
    return {
      topic: this.#topics.requests,
      ...partition,
      key: request.key,
      value: request.value,
      headers: { ...id, ...request.headers },
      timestamp: now,
    };
  }

  /** Publishes outcomes that are due; when the stream has ended nobody waits for the rest of their delay. */
  async #publishOutcomes(all: boolean): Promise<void> {
    const { clock, publisher } = this.#options;
    const now = clock.now();
    const ready: DueOutcome[] = [];
    const later: DueOutcome[] = [];
    for (const outcome of this.#outcomes) (all || outcome.at <= now ? ready : later).push(outcome);
    if (ready.length === 0) return;
    this.#outcomes.splice(0, this.#outcomes.length, ...later);
    for (let at = 0; at < ready.length; at += largestBatch) {
      await publisher.publish(
        ready.slice(at, at + largestBatch).map(({ id, label, at: known }) => ({
          topic: this.#topics.outcomes,
          key: Buffer.from(id),
          value: encodeOutcome({ id, label, at: Math.min(known, now), origin: 'truth' }),
          timestamp: Math.min(known, now),
        })),
      );
    }
    this.outcomesPublished += ready.length;
    for (const { sequence } of ready) this.delays.push(this.published - sequence);
  }
}
