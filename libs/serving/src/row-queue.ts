import type { Answer, SluiceError } from '@sluice/domain';

/** One Avro value to infer on. */
export interface InferValue {
  readonly value: Buffer;
  /** Index of the writer schema among the flow's request schemas. */
  readonly schema: number;
  /** Where the Avro body starts, after the framing. */
  readonly start: number;
}

/** One call's rows and the place for their answers. */
export interface InferRequest {
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

/** Rows waiting for a thread, first in, first out; second attempts go before all others, one row a batch. */
export class RowQueue {
  #waiting: Span[] = [];
  #alone: Span[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(request: InferRequest): void {
    this.#waiting.push({ request, from: 0, to: request.values.length });
    this.#size += request.values.length;
  }

  /** Takes up to `limit` rows; undefined when none waits. */
  take(limit: number): Batch | undefined {
    const again = this.#alone.shift();
    if (again) {
      this.#size -= 1;
      return { spans: [again], n: 1, alone: true };
    }
    const spans: Span[] = [];
    let n = 0;
    while (n < limit && this.#waiting[0]) {
      const { request, from, to } = this.#waiting[0];
      const end = Math.min(to, from + limit - n);
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
