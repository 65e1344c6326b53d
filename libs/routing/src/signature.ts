import { compileExtractor, toSparse, type ExtractFlags } from '@sluice/contracts';
import { murmur3, SluiceError, type EpochMs, type Flow, type Millis, type SparseRow } from '@sluice/domain';
import { headWidth } from './heads.ts';

/** What a signature is read from. */
export interface SignatureInput {
  readonly value: Buffer;
  /** Index of the writer schema in `flow.request.schemas`. */
  readonly schema: number;
  /** First byte of the Avro datum in `value`. */
  readonly start: number;
  /** The now-stamp of the decision. */
  readonly now: EpochMs;
  readonly requestedAt: EpochMs;
  readonly deadlineAt: EpochMs;
  readonly tenant?: string | undefined;
}

export interface SignatureReading {
  readonly row: SparseRow;
  /** How many of the named fields were missing or outside their catalogued range. */
  readonly flags: ExtractFlags;
  /** Bytes of the whole value. */
  readonly size: number;
  /** Time since the request; never negative, whatever the producer's clock says. */
  readonly staleness: Millis;
  /** Time to the deadline; negative once it has passed. */
  readonly timeLeft: Millis;
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

const tenantBuckets = 8;
const implicitNames = [
  'bias',
  'share of missing fields',
  'share of fields out of range',
  'size',
  'staleness',
  'time left',
  ...Array.from({ length: tenantBuckets }, (_, bucket) => `tenant #${bucket}`),
];
const tenantColumn = implicitNames.length - tenantBuckets;

/** ln(1 + 1 MB): the largest request a flow accepts by default has size 1. */
const sizeScale = Math.log1p(1_000_000);
/** ln(1 + 1 h in seconds): a request that waited an hour has staleness 1. */
const stalenessScale = Math.log1p(3600);

/**
 * Compiles the reader of a flow's signature: implicit columns (bias, sparsity, range, size, staleness, time left, tenant) and then the columns
 * of the flow's own features with their missing and out-of-range flags.
 *
 * @param schemas parsed Avro request schemas, in the order of `flow.request.schemas`.
 * @throws SluiceError SLUICE_SCHEMA_INVALID when a schema lacks a named field; SLUICE_FLOW_INVALID when the row is too wide.
 */
export function compileSignature(flow: Flow, schemas: readonly object[]): Signature {
  const extractors = schemas.map((schema) => compileExtractor(schema, flow.signature, { flags: true }));
  const names = [...implicitNames, ...(extractors[0]?.names ?? [])];
  const widest = headWidth(names.length, flow.labels.length, 'stop');
  // Sparse rows count columns in 16 bits.
  if (widest > 65_536) {
    throw new SluiceError(
      'SLUICE_FLOW_INVALID',
      `the signature has ${names.length} columns; with those of the answer at most 65536 fit. Declare fewer buckets.`,
    );
  }
  return new CompiledSignature(flow, names, extractors);
}

type Extractor = ReturnType<typeof compileExtractor>;

class CompiledSignature implements Signature {
  readonly width: number;
  readonly names: readonly string[];
  readonly #extractors: readonly Extractor[];
  readonly #deadline: Millis;
  /** Reused for every event; what leaves is the sparse copy. */
  readonly #dense: Float32Array;

  constructor(flow: Flow, names: readonly string[], extractors: readonly Extractor[]) {
    this.width = names.length;
    this.names = names;
    this.#extractors = extractors;
    this.#deadline = flow.request.deadlineMs;
    this.#dense = new Float32Array(names.length);
  }

  read({ value, schema, start, now, requestedAt, deadlineAt, tenant }: SignatureInput): SignatureReading {
    const extractor = this.#extractors[schema];
    if (extractor === undefined) throw new SluiceError('SLUICE_SCHEMA_UNKNOWN', `the flow has no schema ${schema}`);
    const dense = this.#dense.fill(0, 0, implicitNames.length);
    const { missing, outOfRange, fields } = extractor.extract(value, start, dense, implicitNames.length);
    const size = value.length;
    const staleness = Math.max(0, now - requestedAt);
    const timeLeft = deadlineAt - now;
    dense[biasColumn] = 1;
    dense[1] = missing / fields;
    dense[2] = outOfRange / fields;
    dense[3] = Math.log1p(size) / sizeScale;
    dense[4] = Math.log1p(staleness / 1000) / stalenessScale;
    dense[5] = Math.min(1, Math.max(0, timeLeft / this.#deadline));
    if (tenant !== undefined) dense[tenantColumn + (murmur3(Buffer.from(tenant), 0) % tenantBuckets)] = 1;
    return { row: toSparse(dense), flags: { missing, outOfRange, fields }, size, staleness, timeLeft };
  }
}
