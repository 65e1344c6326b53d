import type { ErrorCode, Flow } from '@sluice/domain';
import type { Dataset } from './dataset.ts';
import { Random } from './random.ts';

/** One request of a demo stream with what only the demo knows: its true label and when that becomes known. */
export interface StreamItem {
  /** Ends in the running number of the event. Undefined for a malformed record whose id cannot be told. */
  readonly id: string | undefined;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Further headers; the id travels in `ce_id`, which the publisher adds. */
  readonly headers: Readonly<Record<string, string | Buffer>>;
  /** True label; undefined for a malformed record. */
  readonly truth: string | undefined;
  /** Milliseconds from publication to its outcome; undefined when none ever comes. */
  readonly outcomeDelayMs: number | undefined;
  /** Index into the data set's stream; undefined for a malformed record. */
  readonly sample: number | undefined;
  /** What is wrong with a malformed record, and the code that must come of it. */
  readonly poison?: { readonly kind: string; readonly code: ErrorCode };
}

export interface StreamOptions {
  readonly seed: number;
  /** Left out: the stream has no end. */
  readonly events?: number | undefined;
  /** True: sorted into blocks of one label each, the harshest drift there is. */
  readonly blocks?: boolean;
  /** Share of events whose truth comes back; default 0.7. */
  readonly outcomeShare?: number;
  /** Mean of the exponential delay; default 1000 ms. */
  readonly outcomeDelayMs?: number;
}

export interface RequestStream {
  /** How many distinct requests there are; later ones repeat them under new ids. */
  readonly distinct: number;
  /** For the report: whether and how often the data repeats. */
  readonly note: string;
  items(): Generator<StreamItem, void, undefined>;
}

/** The stream of a flow: the same flow, data and options give the same items, byte for byte. */
export function requestStream(flow: Flow, dataset: Dataset, options: StreamOptions): RequestStream {
  const distinct = dataset.stream.count;
  return { distinct, note: repetition(distinct, options.events), items: () => generate(flow, dataset, options) };
}

function repetition(distinct: number, events: number | undefined): string {
  if (events !== undefined && events <= distinct) return `${events} of ${distinct} distinct requests, none repeated`;
  const passes = events === undefined ? 'without end' : `${(events / distinct).toFixed(2)} times`;
  return `${distinct} distinct requests, repeated ${passes} under new ids`;
}

function* generate(flow: Flow, dataset: Dataset, options: StreamOptions): Generator<StreamItem, void, undefined> {
  const { seed, events = Infinity, outcomeShare = 0.7, outcomeDelayMs = 1000 } = options;
  const { stream } = dataset;
  const outcomes = new Random(seed, 'outcomes');
  let sequence = 0;
  for (const sample of order(dataset, options)) {
    if (sequence >= events) return;
    const known = outcomes.uniform() < outcomeShare;
    const delay = Math.round(outcomes.exponential(outcomeDelayMs));
    yield {
      id: `${flow.flow}-${seed}-${sequence++}`,
      key: stream.key(sample),
      value: stream.value(sample),
      headers: {},
      truth: flow.labels[stream.label(sample)]!,
      outcomeDelayMs: known ? delay : undefined,
      sample,
    };
  }
}

/** Indices of samples, pass after pass. Blocks are sorted over the whole stream, or over each pass of an endless one. */
function* order(dataset: Dataset, { seed, events, blocks = false }: StreamOptions): Generator<number, void, undefined> {
  const { count, label } = { count: dataset.stream.count, label: (index: number) => dataset.stream.label(index) };
  const shuffles = new Random(seed, 'order');
  const pass = (): Int32Array => (dataset.ordered ? Int32Array.from({ length: count }, (_, index) => index) : shuffles.permutation(count));
  if (blocks && events !== undefined) {
    const all: number[] = [];
    while (all.length < events) for (const index of pass()) all.push(index);
    all.length = events;
    yield* all.sort((a, b) => label(a) - label(b));
    return;
  }
  for (;;) {
    const indices = pass();
    yield* blocks ? [...indices].sort((a, b) => label(a) - label(b)) : indices;
  }
}
