import type { InRecord, Processor } from '@sluice/streaming';
import type { Meter } from './job.ts';

/** Tells the meter when slices begin and are committed. */
export class Metered implements Processor {
  readonly #inner: Processor;
  readonly #meter: Meter;
  #slice = 0;

  constructor(inner: Processor, meter: Meter) {
    this.#inner = inner;
    this.#meter = meter;
  }

  process(slice: readonly InRecord[]) {
    this.#meter.begin();
    this.#slice = slice.length;
    return this.#inner.process(slice);
  }

  committed(): void {
    this.#inner.committed?.();
    this.#meter.committed(this.#slice);
  }

  aborted(): void {
    this.#inner.aborted?.();
  }
}
