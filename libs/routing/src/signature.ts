import { compileExtractor, headerBytes, SparseScratch, type WireHeaders } from '@sluice/contracts';
import { murmur3, SluiceError, type EpochMs, type FeatureSpec, type Flow, type Millis, type SparseRow } from '@sluice/domain';
import { boundedFields, EnvelopeGauge, withRanges, type EnvelopeBar, type Envelopes } from './envelope.ts';
import { headWidth } from './heads.ts';
import { segmentField, segmentReader, type SegmentReader } from './segments/segment-reader.ts';

/** What a signature is read from. */
export interface SignatureInput {
  readonly value: Buffer;
  /** Index of the writer schema in `flow.request.schemas`. */
  readonly schema: number;
  /** First byte of the Avro datum in `value`. */
  readonly start: number;
  /** The now-stamp of the decision. */
  readonly now: EpochMs;
  /** Event time. */
  readonly requestedAt: EpochMs;
  readonly deadlineAt: EpochMs;
  /** Read for the user's context, `flow.request.context`, and for the segment where a header tells it. */
  readonly headers?: WireHeaders | undefined;
}

/** Facts about a request that are not in it; rules may use them by these names. */
export interface SignatureFacts {
  /** Bytes of the whole value. */
  readonly size: number;
  /** Time since the request; never negative, whatever the producer's clock says. */
  readonly staleness: Millis;
  /** Time to the deadline; negative once it has passed. */
  readonly timeLeft: Millis;
  /** Fields of the signature that were missing, and numbers of it outside their range. */
  readonly missing: number;
  readonly outOfRange: number;
  /** Distance from all that the tiers' models were validated for, in [0, 1]; 0 inside, or where no manifest says. */
  readonly novelty: number;
}

/** Holds until the next request is read: neither it nor its row may be kept. */
export interface SignatureReading extends SignatureFacts {
  readonly row: SparseRow;
  /** Which segment of the flow it belongs to; empty where the flow names none. */
  readonly segment: string;
  /** One per tier: why its model may not answer this request, or ''. */
  readonly bars: readonly EnvelopeBar[];
}

/** What the router knows of a request: the row that heads score, and the facts that rules may use. */
export interface Signature {
  /** Columns of the row, implicit ones included. */
  readonly width: number;
  /** A name for each column, for explanations. */
  readonly names: readonly string[];
  /** @throws SluiceError the extractor's: SLUICE_AVRO_*, SLUICE_NUMBER_NOT_FINITE, SLUICE_IMAGE_INVALID. */
  read(input: SignatureInput): SignatureReading;
}

/** Column that is 1 in every row. */
export const biasColumn = 0;

const alwaysNames = ['bias', 'share of missing fields', 'share of fields out of range', 'size', 'staleness', 'time left', 'novelty'];
/** Columns that tell of the load of the system, not of the request. */
export const loadColumns: readonly number[] = [alwaysNames.indexOf('staleness'), alwaysNames.indexOf('time left')];
const contextBuckets = 8;

/** ln(1 + 1 MB): the largest request a flow accepts by default has size 1. */
const sizeScale = Math.log1p(1_000_000);
/** ln(1 + 1 h in seconds): a request that waited an hour has staleness 1. */
const stalenessScale = Math.log1p(3600);

/**
 * Compiles the reader of a flow's signature: implicit columns (bias, sparsity, range, size, staleness, time left, novelty, the user's context) and
 * then the columns of the flow's own features with their missing and out-of-range flags.
 *
 * @param schemas parsed Avro request schemas, in the order of `flow.request.schemas`.
 * @param envelopes of the tiers' models: ranges that the flow leaves open are learned from them.
 * @throws SluiceError SLUICE_SCHEMA_INVALID when a schema lacks a named field; SLUICE_FLOW_INVALID when the row is too wide, or nobody states the
 * range of a number.
 */
export function compileSignature(
  flow: Flow,
  schemas: readonly object[],
  envelopes: Envelopes = flow.tiers.map(() => undefined),
): Signature {
  return compile(flow, schemas, { envelopes, features: withRanges(flow, envelopes) });
}

/** Width and column names alone, which no range changes: all that workers and learner need. */
export function signatureShape(flow: Flow, schemas: readonly object[]): Pick<Signature, 'width' | 'names'> {
  const features = flow.signature.map((feature) => (feature.kind === 'number' ? { ...feature, min: 0, max: 1 } : feature));
  const { width, names } = compile(flow, schemas, { envelopes: [], features });
  return { width, names };
}

interface Parts {
  readonly envelopes: Envelopes;
  readonly features: readonly FeatureSpec[];
}

function compile(flow: Flow, schemas: readonly object[], { envelopes, features }: Parts): CompiledSignature {
  const also = [...boundedFields(envelopes), ...segmentField(flow)];
  const readers = schemas.map((schema) => {
    const extractor = compileExtractor(schema, features, { flags: true, also });
    const gauge = new EnvelopeGauge(envelopes, schema, extractor.projection);
    return { extractor, gauge, segments: segmentReader(flow, extractor.projection) };
  });
  const context = flow.request.context.flatMap((name) => Array.from({ length: contextBuckets }, (_, bucket) => `${name} #${bucket}`));
  const names = [...alwaysNames, ...context, ...(readers[0]?.extractor.names ?? [])];
  const widest = headWidth(names.length, flow.labels.length, 'stop');
  // Sparse rows count columns in 16 bits.
  if (widest > 65_536) {
    throw new SluiceError(
      'SLUICE_FLOW_INVALID',
      `the signature has ${names.length} columns; with those of the answer at most 65536 fit. Declare fewer buckets.`,
    );
  }
  return new CompiledSignature(flow, names, readers);
}

interface SchemaReader {
  readonly extractor: ReturnType<typeof compileExtractor>;
  readonly gauge: EnvelopeGauge;
  readonly segments: SegmentReader | undefined;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class CompiledSignature implements Signature {
  readonly width: number;
  readonly names: readonly string[];
  readonly #readers: readonly SchemaReader[];
  readonly #deadline: Millis;
  readonly #context: readonly string[];
  /** First column of the flow's own features. */
  readonly #features: number;
  // Made once and filled for each request: reading one allocates nothing.
  readonly #scratch: SparseScratch;
  readonly #reading: Writable<SignatureReading>;

  constructor(flow: Flow, names: readonly string[], readers: readonly SchemaReader[]) {
    this.width = names.length;
    this.names = names;
    this.#readers = readers;
    this.#deadline = flow.request.deadlineMs;
    this.#context = flow.request.context;
    this.#features = alwaysNames.length + contextBuckets * flow.request.context.length;
    this.#scratch = new SparseScratch(names.length);
    const row = this.#scratch.take();
    this.#reading = { row, segment: '', bars: [], size: 0, staleness: 0, timeLeft: 0, missing: 0, outOfRange: 0, novelty: 0 };
  }

  read(input: SignatureInput): SignatureReading {
    const reader = this.#readers[input.schema];
    if (reader === undefined) throw new SluiceError('SLUICE_SCHEMA_UNKNOWN', `the flow has no schema ${input.schema}`);
    const { dense } = this.#scratch;
    dense.fill(0, 0, this.#features);
    const { missing, outOfRange, fields } = reader.extractor.extract(input.value, input.start, dense, this.#features);
    reader.gauge.measure();
    const reading = this.#reading;
    reading.size = input.value.length;
    reading.staleness = Math.max(0, input.now - input.requestedAt);
    reading.timeLeft = input.deadlineAt - input.now;
    reading.missing = missing;
    reading.outOfRange = outOfRange;
    reading.novelty = reader.gauge.novelty;
    reading.bars = reader.gauge.bars;
    reading.segment = reader.segments?.read(input.value, input.headers) ?? '';
    this.#writeFacts(fields);
    if (input.headers !== undefined) this.#writeContext(input.headers);
    reading.row = this.#scratch.take();
    return reading;
  }

  #writeFacts(fields: number): void {
    const { dense } = this.#scratch;
    const { size, staleness, timeLeft, missing, outOfRange, novelty } = this.#reading;
    dense[biasColumn] = 1;
    dense[1] = missing / fields;
    dense[2] = outOfRange / fields;
    dense[3] = Math.log1p(size) / sizeScale;
    dense[4] = Math.log1p(staleness / 1000) / stalenessScale;
    dense[5] = Math.min(1, Math.max(0, timeLeft / this.#deadline));
    dense[6] = novelty;
  }

  /** Each header's value is hashed into columns of its own. */
  #writeContext(headers: WireHeaders): void {
    for (let i = 0; i < this.#context.length; i++) {
      const bytes = headerBytes(headers, this.#context[i]!);
      if (bytes === undefined) continue;
      this.#scratch.dense[alwaysNames.length + contextBuckets * i + (murmur3(bytes, i) % contextBuckets)] = 1;
    }
  }
}
