import type { FeatureSpec } from '@sluice/domain';
import { bytesReader } from './features/bytes.ts';
import { categoryReader } from './features/category.ts';
import { imageReader } from './features/image.ts';
import { numbersReader } from './features/number.ts';
import type { Extraction, FeatureReader, ReaderPlace, Spec } from './features/reader.ts';
import { textReader } from './features/text.ts';
import { timeReader } from './features/time.ts';
import { compileProjection, type Projection } from './projection.ts';

/** What was noticed while a value was read. */
export interface ExtractFlags {
  /** Fields that were null, or a branch without the field. */
  readonly missing: number;
  /** Numbers outside their catalogued range. */
  readonly outOfRange: number;
  /** Fields the extractor reads. */
  readonly fields: number;
}

/** Avro bytes to one dense float32 row. Router and models use the same one, so they cannot drift apart. */
export interface Extractor {
  /** Columns of a row. */
  readonly width: number;
  /** One name a column. */
  readonly names: readonly string[];
  /** The fields behind the row last extracted, and those of `options.also`. */
  readonly projection: Projection;
  /**
   * Overwrites `row[at, at + width)` with the features of the Avro body in `value[start, end)`; left out, `end` is that of `value`.
   * The flags returned hold until the next call.
   * @throws SluiceError SLUICE_AVRO_TRUNCATED, SLUICE_AVRO_INVALID (also for bytes after the value), SLUICE_NUMBER_NOT_FINITE,
   * SLUICE_IMAGE_INVALID; the columns are then undefined.
   */
  extract(value: Uint8Array, start: number, row: Float32Array, at: number, end?: number): ExtractFlags;
}

interface ExtractOptions {
  /** Adds columns for missing and out-of-range values after numbers and categories. */
  readonly flags: boolean;
  /** Fields to read for `projection` alone. */
  readonly also?: readonly string[];
}

/**
 * @param schema parsed Avro schema of the writer.
 * @throws SluiceError SLUICE_SCHEMA_INVALID when a feature names a field the schema lacks or cannot give.
 */
export function compileExtractor(schema: unknown, features: readonly FeatureSpec[], options: ExtractOptions): Extractor {
  const paths = [...features.map((feature) => feature.field), ...(options.also ?? [])];
  const projection = compileProjection(schema, paths);
  const places = features.map((feature): ReaderPlace => ({ slot: projection.slot(feature.field), projection, flags: options.flags }));
  const readers = runs(places, features).map(([from, to]) => readerOf(features.slice(from, to), places.slice(from, to)));
  return new CompiledExtractor(projection, readers, features.length);
}

/** Ranges of features that one reader takes: numbers side by side in features and slots together, all others alone. */
function runs(places: readonly ReaderPlace[], features: readonly FeatureSpec[]): [number, number][] {
  const ranges: [number, number][] = [];
  features.forEach(({ kind }, i) => {
    const last = ranges.at(-1);
    const follows = i > 0 && features[i - 1]!.kind === 'number' && places[i]!.slot === places[i - 1]!.slot + 1;
    if (last && kind === 'number' && follows) last[1] = i + 1;
    else ranges.push([i, i + 1]);
  });
  return ranges;
}

class CompiledExtractor implements Extractor {
  readonly width: number;
  readonly projection: Projection;
  readonly #readers: readonly FeatureReader[];
  readonly #offsets: Int32Array;
  readonly #extraction: Extraction;
  readonly #flags: { missing: number; outOfRange: number; readonly fields: number };

  constructor(projection: Projection, readers: readonly FeatureReader[], fields: number) {
    this.width = readers.reduce((sum, { width }) => sum + width, 0);
    this.projection = projection;
    this.#readers = readers;
    this.#offsets = new Int32Array(readers.length + 1);
    readers.forEach((reader, i) => (this.#offsets[i + 1] = this.#offsets[i]! + reader.width));
    this.#extraction = { projection, bytes: new Uint8Array(0), row: new Float32Array(0), missing: 0, outOfRange: 0 };
    this.#flags = { missing: 0, outOfRange: 0, fields };
  }

  /** Made when asked for: an image has hundreds of thousands of columns, and a model needs no names. */
  get names(): readonly string[] {
    return this.#readers.flatMap((reader) => reader.names);
  }

  // eslint-disable-next-line max-params -- see the interface
  extract(value: Uint8Array, start: number, row: Float32Array, at: number, end = value.length): ExtractFlags {
    const extraction = this.#extraction;
    extraction.projection.read(value, start, end);
    extraction.bytes = value;
    extraction.row = row;
    extraction.missing = 0;
    extraction.outOfRange = 0;
    for (let i = 0; i < this.#readers.length; i++) {
      const reader = this.#readers[i]!;
      const from = at + this.#offsets[i]!;
      if (!reader.dense) row.fill(0, from, from + reader.width);
      reader.read(extraction, from);
    }
    this.#flags.missing = extraction.missing;
    this.#flags.outOfRange = extraction.outOfRange;
    return this.#flags;
  }
}

function readerOf(features: readonly FeatureSpec[], places: readonly ReaderPlace[]): FeatureReader {
  const [feature, place] = [features[0]!, places[0]!];
  switch (feature.kind) {
    case 'number':
      return numbersReader(features as readonly Spec<'number'>[], places);
    case 'category':
      return categoryReader(feature, place);
    case 'text':
      return textReader(feature, place);
    case 'time':
      return timeReader(feature, place);
    case 'bytes':
      return bytesReader(feature, place);
    case 'image':
      return imageReader(feature, place);
  }
}
