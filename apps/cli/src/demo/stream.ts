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

type PublishedRecord = Parameters<Publisher['publish']>[0][number];

interface DueOutcome {
  /** How many requests were published before its own. */
  readonly sequence: number;
  readonly id: string;
  readonly label: string;
  readonly at: number;
}

const largestBatch = 500;
/** Milliseconds that a paced producer gathers for, as `linger.ms` makes Kafka's own do: one request to the broker for several records. */
const lingerMs = 10;

/** Publishes requests at the asked rate and their outcomes when they are due, as two upstream systems would. */
export class DemoStream {
  readonly #options: StreamOptions;
  readonly #topics: ReturnType<typeof topicsOf>;
  #outcomes: DueOutcome[] = [];
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
    const { signal, clock, publisher, rate } = this.#options;
    const requests = this.#options.requests[Symbol.iterator]();
    const start = clock.now();
    while (!signal.aborted && !(this.#exhausted && this.#outcomes.length === 0)) {
      const records = this.#dueRequests(requests, clock.now() - start);
      const outcomes = this.#dueOutcomes(this.#exhausted);
      if (records.length + outcomes.length > 0)
        await publisher.publish([...records, ...outcomes.map((outcome) => this.#outcomeRecord(outcome))]);
      this.published += records.length;
      this.outcomesPublished += outcomes.length;
      for (const { sequence } of outcomes) this.delays.push(this.published - sequence);
      if (rate !== Infinity || records.length === 0) await new Promise((resolve) => setTimeout(resolve, lingerMs));
    }
  }

  #dueRequests(requests: Iterator<DemoRequest>, elapsedMs: number): PublishedRecord[] {
    const { rate, maxWaiting, answered } = this.#options;
    const room = Math.min(due(rate, elapsedMs), maxWaiting + answered()) - this.published;
    const records: PublishedRecord[] = [];
    while (!this.#exhausted && records.length < Math.min(room, largestBatch)) {
      const next = requests.next();
      if (next.done === true) this.#exhausted = true;
      else records.push(this.#record(next.value, this.published + records.length));
    }
    return records;
  }

  #record(request: DemoRequest, sequence: number): PublishedRecord {
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

  /** Takes the outcomes that are due; when the stream has ended nobody waits for the rest of their delay. */
  #dueOutcomes(all: boolean): DueOutcome[] {
    const now = this.#options.clock.now();
    const ready: DueOutcome[] = [];
    const later: DueOutcome[] = [];
    for (const outcome of this.#outcomes) ((all || outcome.at <= now) && ready.length < largestBatch ? ready : later).push(outcome);
    if (ready.length > 0) this.#outcomes = later;
    return ready;
  }

  #outcomeRecord({ id, label, at }: DueOutcome): PublishedRecord {
    const known = Math.min(at, this.#options.clock.now());
    return {
      topic: this.#topics.outcomes,
      key: Buffer.from(id),
      value: encodeOutcome({ id, label, at: known, origin: 'truth' }),
      timestamp: known,
    };
  }
}
