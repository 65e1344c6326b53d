import { slotKind } from '../projection.ts';
import { hashText, type HashTarget, type TextRange } from '../text-hash.ts';
import { columns, expectKind, type FeatureReader, type ReaderPlace, type Spec } from './reader.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Hashed words of the first `maxBytes` bytes, of unit length; all zeros when missing or without a word. */
export function textReader(spec: Spec<'text'>, place: ReaderPlace): FeatureReader {
  expectKind(spec, place, ['text', 'bytes']);
  const { slot } = place;
  // Made once and filled for each value: no object per event.
  const range: Writable<TextRange> = { bytes: new Uint8Array(0), start: 0, end: 0 };
  const target: Writable<HashTarget> = { row: new Float32Array(0), at: 0 };
  return {
    width: spec.buckets,
    names: columns(spec.buckets, (bucket) => `${spec.field}#${bucket}`),
    read(extraction, at) {
      const { present, starts, ends } = extraction.projection;
      if (present[slot] === slotKind.missing) {
        extraction.missing++;
        return;
      }
      range.bytes = extraction.bytes;
      range.start = starts[slot]!;
      range.end = Math.min(ends[slot]!, range.start + spec.maxBytes);
      target.row = extraction.row;
      target.at = at;
      hashText(range, spec, target);
    },
  };
}
