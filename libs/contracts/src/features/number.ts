import { slotKind } from '../projection.ts';
import { invalid } from '../schema-node.ts';
import { expectKind, type Extraction, type FeatureReader, notFinite, type ReaderPlace, type Spec } from './reader.ts';

/**
 * Numbers side by side: each one scaled column; with flags also "missing" and "out of range" (0 or 1). A missing number is 0.
 * One reader for a whole run of them, since a record of thirty numbers is common and thirty calls take five times as long.
 */
export function numbersReader(specs: readonly Spec<'number'>[], places: readonly ReaderPlace[]): FeatureReader {
  const { logs, mins, maxs, origins, spans } = scalesOf(specs, places);
  const { slot: first, flags, projection } = places[0]!;
  const { present, numbers } = projection;
  const count = specs.length;
  const stride = flags ? 3 : 1;
  const scaled = (value: number, i: number): number => ((logs[i] ? signedLog(value) : value) - origins[i]!) / spans[i]!;
  const straight = !flags && !logs.includes(1);
  /** All numbers as if they were in their ranges, and whether they are: a loop without a way out is the faster one. */
  const scaleAll = (row: Float32Array, start: number): boolean => {
    let inside = true;
    for (let i = 0; i < count; i++) {
      const value = numbers[first + i]!;
      // A missing one is NaN, and nothing is in the range of that.
      if (!(value >= mins[i]! && value <= maxs[i]!)) inside = false;
      row[start + i] = (value - origins[i]!) / spans[i]!;
    }
    return inside;
  };
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
      if (straight && scaleAll(row, start)) return;
      for (let i = 0, at = start; i < count; i++, at += stride) {
        const value = numbers[first + i]!;
        const inside = value >= mins[i]! && value <= maxs[i]!;
        row[at] = inside ? scaled(value, i) : unusual(extraction, i, at);
      }
    },
  };
}

/** The features as columns of numbers: `(clip(value) - origin) / span`, of some the logarithm in place of the value. */
function scalesOf(specs: readonly Spec<'number'>[], places: readonly ReaderPlace[]) {
  const ranges = specs.map((spec, i) => {
    expectKind(spec, places[i]!, ['number']);
    return rangeOf(spec);
  });
  const bent = ranges.map(
    ({ min, max }, i) => (specs[i]!.scale === 'log' ? [signedLog(min), signedLog(max)] : [min, max]) as [number, number],
  );
  return {
    logs: Uint8Array.from(specs, ({ scale }) => Number(scale === 'log')),
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
