import type { Batch, InferValue } from './row-queue.ts';

/**
 * A batch on its way to a thread is one ArrayBuffer: first a table of Int32 triples (schema, start, end), one per row,
 * then the bodies of the Avro values. Moving one buffer costs 20 us whatever its size; objects would be cloned one by one.
 */
const fields = 3;
/** A batch of huge values must not hold its memory for ever. */
const largestKept = 4 * 1024 * 1024;

/** Buffers that came back from the thread, to be filled again. */
export class SlabPool {
  readonly #free: ArrayBuffer[] = [];

  take(bytes: number): ArrayBuffer {
    const at = this.#free.findIndex((slab) => slab.byteLength >= bytes);
    // Powers of two, so that batches of about the same size find each other's buffers.
    return at < 0 ? new ArrayBuffer(2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)))) : this.#free.splice(at, 1)[0]!;
  }

  giveBack(slab: ArrayBuffer): void {
    if (this.#free.length < 4 && slab.byteLength <= largestKept) this.#free.push(slab);
  }
}

/** Copies the rows of a batch into a slab of the pool. */
export function packSlab({ spans, n }: Batch, pool: SlabPool): ArrayBuffer {
  let bytes = n * fields * 4;
  for (const { request, from, to } of spans) for (let i = from; i < to; i++) bytes += request.values[i]!.value.length;
  const slab = pool.take(bytes);
  const table = new Int32Array(slab, 0, n * fields);
  const target = Buffer.from(slab);
  let at = n * fields * 4;
  let row = 0;
  for (const { request, from, to } of spans) {
    for (let i = from; i < to; i++) {
      const { value, schema, start } = request.values[i]!;
      table[row++] = schema;
      table[row++] = at;
      at += value.copy(target, at, start);
      table[row++] = at;
    }
  }
  return slab;
}

/** The rows of a batch, where they are decoded. */
export interface Values {
  readonly n: number;
  /** Index of the writer schema. */
  schema(row: number): number;
  /** The body lies in `bytes[start, end)`. */
  bytes(row: number): Uint8Array;
  start(row: number): number;
  end(row: number): number;
}

/** The rows in a slab. */
export class SlabReader implements Values {
  readonly n: number;
  readonly #bytes: Uint8Array;
  readonly #table: Int32Array;

  constructor(slab: ArrayBuffer, n: number) {
    this.n = n;
    this.#table = new Int32Array(slab, 0, n * fields);
    this.#bytes = new Uint8Array(slab);
  }

  bytes(): Uint8Array {
    return this.#bytes;
  }

  schema(row: number): number {
    return this.#table[row * fields]!;
  }

  start(row: number): number {
    return this.#table[row * fields + 1]!;
  }

  end(row: number): number {
    return this.#table[row * fields + 2]!;
  }
}

/** The rows where they are. */
export class SpanReader implements Values {
  readonly n: number;
  readonly #values: readonly InferValue[];

  constructor({ spans, n }: Batch) {
    this.n = n;
    this.#values = spans.flatMap(({ request, from, to }) => request.values.slice(from, to));
  }

  schema(row: number): number {
    return this.#values[row]!.schema;
  }

  bytes(row: number): Uint8Array {
    return this.#values[row]!.value;
  }

  start(row: number): number {
    return this.#values[row]!.start;
  }

  end(row: number): number {
    return this.#values[row]!.value.length;
  }
}
