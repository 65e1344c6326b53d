import { slotKind } from '../projection.ts';
import { invalid } from '../schema-node.ts';
import { expectKind, type FeatureReader, finite, type ReaderPlace, type Spec } from './reader.ts';

/** One scaled column; with flags also "missing" and "out of range" (0 or 1). A missing number is 0. */
export function numberReader(spec: Spec<'number'>, place: ReaderPlace): FeatureReader {
  expectKind(spec, place, ['number']);
  const { field, scale, min, max } = spec;
  if (min === undefined || max === undefined)
    throw invalid(`feature ${field} has no range: declare min and max, or catalogue them in a manifest`);
  if (!(max > min)) throw invalid(`feature ${field}: max ${max} is not above min ${min}`);
  const { slot, flags } = place;
  const bend = scale === 'log' ? signedLog : same;
  const origin = scale === 'none' ? 0 : bend(min);
  const span = scale === 'none' ? 1 : bend(max) - bend(min);
  return {
    names: flags ? [field, `${field}:missing`, `${field}:out-of-range`] : [field],
    read(extraction, at) {
      const { row, projection } = extraction;
      if (projection.present[slot] === slotKind.missing) {
        extraction.missing++;
        if (flags) row[at + 1] = 1;
        return;
      }
      const value = finite(projection, slot);
      const clipped = value < min ? min : value > max ? max : value;
      if (clipped !== value) {
        extraction.outOfRange++;
        if (flags) row[at + 2] = 1;
      }
      row[at] = (bend(clipped) - origin) / span;
    },
  };
}

const same = (value: number): number => value;
const signedLog = (value: number): number => (value < 0 ? -Math.log1p(-value) : Math.log1p(value));
