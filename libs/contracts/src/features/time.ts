import { slotKind } from '../projection.ts';
import { invalid, type SchemaNode } from '../schema-node.ts';
import { expectKind, type FeatureReader, finite, type ReaderPlace, type Spec } from './reader.ts';

/**
 * Sine and cosine of the hour of the day or of the weekday, in UTC; zeros when missing. The number is milliseconds since
 * 1970 unless its logical type says otherwise.
 */
export function timeReader(spec: Spec<'time'>, place: ReaderPlace): FeatureReader {
  expectKind(spec, place, ['number']);
  const { field, parts } = spec;
  const { slot } = place;
  const perDay = unitsPerDay(place.projection.leaves[slot]!.nodes, field);
  return {
    width: 2 * parts.length,
    names: parts.flatMap((part) => [`${field}:${part}:sin`, `${field}:${part}:cos`]),
    read(extraction, at) {
      if (extraction.projection.present[slot] === slotKind.missing) {
        extraction.missing++;
        return;
      }
      const days = finite(extraction.projection, slot) / perDay;
      const day = Math.floor(days);
      for (let i = 0; i < parts.length; i++) {
        const turn = parts[i] === 'hour' ? days - day : weekday(day) / 7;
        extraction.row[at + 2 * i] = Math.sin(2 * Math.PI * turn);
        extraction.row[at + 2 * i + 1] = Math.cos(2 * Math.PI * turn);
      }
    },
  };
}

/** 0 for Sunday; day 0 since 1970 was a Thursday. */
const weekday = (day: number): number => (((day + 4) % 7) + 7) % 7;

const units: Readonly<Record<string, number>> = {
  date: 1,
  'timestamp-millis': 86_400_000,
  'timestamp-micros': 86_400_000_000,
  'timestamp-nanos': 86_400_000_000_000,
};

function unitsPerDay(nodes: readonly SchemaNode[], field: string): number {
  const found = new Set(nodes.map((node) => units[('logicalType' in node && node.logicalType) || 'timestamp-millis'] ?? 86_400_000));
  if (found.size > 1) throw invalid(`feature ${field} (time) has branches of different units`);
  return [...found][0]!;
}
