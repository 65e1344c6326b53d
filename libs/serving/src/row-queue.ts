import type { Answer, SluiceError } from '@sluice/domain';

/** One Avro value to infer on. */
export interface InferValue {
  readonly value: Buffer;
  /** Index of the writer schema among the flow's request schemas. */
  readonly schema: number;
  /** Where the Avro body starts, after the framing. */
  readonly start: number;
}

/**
 * How much a call presses. It is the call that counts, not the row: the rows of one call are a slice that leaves in one transaction, so
 * none of them is of use before the last.
 */
export interface Urgency {
  /** Milliseconds until the first of its deadlines; negative when that has passed. Left out: none. */
  readonly timeLeft?: number;
  /** Of its most important row: 0 (lowest, and the default) to 9. */
  readonly priority?: number;
}

/** One call's rows and the place for their answers. */
export interface InferRequest {
  /** Calls are taken in the order of this time, milliseconds of the batcher's clock. */
  readonly due: number;
  /** When its answers are to be there, on the same clock; Infinity: whenever. */
  readonly deadline: number;
  readonly values: readonly InferValue[];
  readonly results: (Answer | SluiceError)[];
  remaining: number;
  readonly resolve: (results: readonly (Answer | SluiceError)[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows `from` to `to` (exclusive) of one request: a row's identity is its request and its index. */
export interface Span {
  readonly request: InferRequest;
  readonly from: number;
  readonly to: number;
}

/** Rows that run together. `alone` marks the second attempt of a row whose batch failed as a whole. */
export interface Batch {
  readonly spans: readonly Span[];
  readonly n: number;
  readonly alone: boolean;
}

/** Rows waiting for a thread, by when their calls are due; second attempts go before all others, one row a batch. */
export class RowQueue {
  #waiting: Span[] = [];
  #alone: Span[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Behind all that are due no later. */
  push(request: InferRequest): void {
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.request.due > request.due) at--;
    this.#waiting.splice(at, 0, { request, from: 0, to: request.values.length });
    this.#size += request.values.length;
  }

  /**
   * Takes up to `limit` rows; undefined when none waits. A call that is in time with the rows before it is not made late by rows taken
   * in behind it; one that is late anyway holds nothing up.
   * @param within the largest batch that would be done by a deadline.
   */
  take(limit: number, within: (deadline: number) => number = () => Infinity): Batch | undefined {
    const again = this.#alone.shift();
    if (again) {
      this.#size -= 1;
      return { spans: [again], n: 1, alone: true };
    }
    const spans: Span[] = [];
    let n = 0;
    let most = limit;
    while (n < most && this.#waiting[0]) {
      const { request, from, to } = this.#waiting[0];
      const room = within(request.deadline);
      if (room >= n + to - from) most = Math.min(most, room);
      const end = Math.min(to, from + most - n);
      spans.push({ request, from, to: end });
      n += end - from;
      if (end === to) this.#waiting.shift();
      else this.#waiting[0] = { request, from: end, to };
    }
    this.#size -= n;
    return n > 0 ? { spans, n, alone: false } : undefined;
  }

  /** Gives the rows of a failed batch their second attempt, each in a batch of its own. */
  retryAlone(batch: Batch): void {
    for (const { request, from, to } of batch.spans) {
      for (let i = from; i < to; i++) this.#alone.push({ request, from: i, to: i + 1 });
    }
    this.#size += batch.n;
  }

  /** Takes all rows that wait for their second attempt. */
  takeAlone(): Batch | undefined {
    const spans = this.#alone;
    this.#alone = [];
    this.#size -= spans.length;
    return spans.length > 0 ? { spans, n: spans.length, alone: true } : undefined;
  }

  /** Takes everything. */
  clear(): readonly Span[] {
    const spans = [...this.#alone, ...this.#waiting];
    this.#alone = [];
    this.#waiting = [];
    this.#size = 0;
    return spans;
  }
}
