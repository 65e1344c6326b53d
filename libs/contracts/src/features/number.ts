import { slotKind } from '../projection.ts';
import { invalid } from '../schema-node.ts';
import { expectKind, type Extraction, type FeatureReader, notFinite, type ReaderPlace, type Spec } from './reader.ts';

/**
 * Numbers side by side: each one scaled column; with flags also "missing" and "out of range" (0 or 1). A missing number is 0.
 * One reader for a whole run of them, since a record of thirty numbers is common and thirty calls take five times as long.
 */
export function numbersReader(specs: readonly Spec<'number'>[], places: readonly ReaderPlace[]): FeatureReader {
  const { bends, mins, maxs, origins, spans } = scalesOf(specs, places);
  const { slot: first, flags, projection } = places[0]!;
  const { present, numbers } = projection;
  const count = specs.length;
  const stride = flags ? 3 : 1;
  const scaled = (value: number, i: number): number => ((bends[i] === bend.log ? signedLog(value) : value) - origins[i]!) / spans[i]!;
  /** Number `i`, where it is missing, none or out of its range: 0, an error, the end of the range that is nearer. */
  const unusual = (extraction: Extraction, i: number, at: number): number => {
    if (present[first + i] === slotKind.missing) {
      extraction.missing++;
      if (flags) extraction.row[at + 1] = 1;
      return 0;
    }
    const value = numbers[first + i]!;
    if (!Number.isFinite(value)) throw notFinite(projection, first + i);
    extraction.outOfRange++;
    if (flags) extraction.row[at + 2] = 1;
    return scaled(value < mins[i]! ? mins[i]! : maxs[i]!, i);
  };
  return {
    width: count * stride,
    ...(flags ? {} : { dense: true as const }),
    names: specs.flatMap(({ field }) => (flags ? [field, `${field}:missing`, `${field}:out-of-range`] : [field])),
    read(extraction, start) {
      const { row } = extraction;
      for (let i = 0, at = start; i < count; i++, at += stride) {
        const value = numbers[first + i]!;
        // A missing one is NaN, and nothing is in the range of that.
        if (!(value >= mins[i]! && value <= maxs[i]!)) row[at] = unusual(extraction, i, at);
        else row[at] = bends[i] === bend.none ? value : scaled(value, i);
      }
    },
  };
}

/** What is done to a number: nothing, a shift and a scale, or a logarithm before those. */
const bend = { none: 0, linear: 1, log: 2 } as const;

/** The features as columns of numbers: `(bend(clip(value)) - origin) / span`. */
function scalesOf(specs: readonly Spec<'number'>[], places: readonly ReaderPlace[]) {
  const ranges = specs.map((spec, i) => {
    expectKind(spec, places[i]!, ['number']);
    return rangeOf(spec);
  });
  const bent = ranges.map(
    ({ min, max }, i) => (specs[i]!.scale === 'log' ? [signedLog(min), signedLog(max)] : [min, max]) as [number, number],
  );
  return {
    bends: Uint8Array.from(specs, ({ scale }) => (scale === 'none' ? bend.none : scale === 'log' ? bend.log : bend.linear)),
    mins: Float64Array.from(ranges, ({ min }) => min),
    maxs: Float64Array.from(ranges, ({ max }) => max),
    origins: Float64Array.from(specs, ({ scale }, i) => (scale === 'none' ? 0 : bent[i]![0])),
    spans: Float64Array.from(specs, ({ scale }, i) => (scale === 'none' ? 1 : bent[i]![1] - bent[i]![0])),
  };
}

function rangeOf({ field, min, max }: Spec<'number'>): { readonly min: number; readonly max: number } {
  if (min === undefined || max === undefined)
    throw invalid(`feature ${field} has no range: declare min and max, or catalogue them in a manifest`);
  if (!(max > min)) throw invalid(`feature ${field}: max ${max} is not above min ${min}`);
  return { min, max };
}

const signedLog = (value: number): number => (value < 0 ? -Math.log1p(-value) : Math.log1p(value));
