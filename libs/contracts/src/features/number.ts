import { slotKind } from '../projection.ts';
import { invalid } from '../schema-node.ts';
import { expectKind, type FeatureReader, notFinite, type ReaderPlace, type Spec } from './reader.ts';

/**
 * Numbers side by side: each one scaled column; with flags also "missing" and "out of range" (0 or 1). A missing number is 0.
 * One reader for a whole run of them, since a record of thirty numbers is common and thirty calls take five times as long.
 */
export function numbersReader(specs: readonly Spec<'number'>[], places: readonly ReaderPlace[]): FeatureReader {
  const { slots, logs, mins, maxs, origins, spans } = scalesOf(specs, places);
  const { flags, projection } = places[0]!;
  const { present, numbers } = projection;
  const stride = flags ? 3 : 1;
  return {
    width: specs.length * stride,
    names: specs.flatMap(({ field }) => (flags ? [field, `${field}:missing`, `${field}:out-of-range`] : [field])),
    read(extraction, start) {
      const { row } = extraction;
      for (let i = 0, at = start; i < slots.length; i++, at += stride) {
        const slot = slots[i]!;
        if (present[slot] === slotKind.missing) {
          extraction.missing++;
          if (flags) row[at + 1] = 1;
          continue;
        }
        const value = numbers[slot]!;
        // NaN and both infinities: what they leave when taken from themselves is no number.
        if (value - value !== 0) throw notFinite(projection, slot);
        const clipped = value < mins[i]! ? mins[i]! : value > maxs[i]! ? maxs[i]! : value;
        if (clipped !== value) {
          extraction.outOfRange++;
          if (flags) row[at + 2] = 1;
        }
        row[at] = ((logs[i] === 1 ? signedLog(clipped) : clipped) - origins[i]!) / spans[i]!;
      }
    },
  };
}

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
    slots: Int32Array.from(places, ({ slot }) => slot),
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
