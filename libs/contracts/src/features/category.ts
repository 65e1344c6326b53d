import { murmur3 } from '@sluice/domain';
import { slotKind } from '../projection.ts';
import type { SchemaNode } from '../schema-node.ts';
import { columns, type FeatureReader, finite, type ReaderPlace, type Spec } from './reader.ts';

/**
 * A 1 (where signed, 1 or -1) in the column that the value hashes to; with flags also a "missing" column. Bytes, texts, enums
 * and numbers.
 */
export function categoryReader(spec: Spec<'category'>, { slot, projection, flags }: ReaderPlace): FeatureReader {
  const { field, buckets, seed, signed } = spec;
  const symbols = symbolHashes(projection.leaves[slot]!.nodes, seed);
  const names = columns(buckets, (bucket) => `${field}#${bucket}`);
  return {
    width: buckets + (flags ? 1 : 0),
    names: flags ? [...names, `${field}:missing`] : names,
    read(extraction, at) {
      const { present, starts, ends, numbers } = extraction.projection;
      const kind = present[slot];
      if (kind === slotKind.missing) {
        extraction.missing++;
        if (flags) extraction.row[at + buckets] = 1;
        return;
      }
      let hash: number;
      if (kind === slotKind.bytes) hash = murmur3(extraction.bytes, seed, starts[slot]!, ends[slot]!);
      else if (kind === slotKind.symbol) hash = symbols[numbers[slot]!]!;
      else hash = hashNumber(finite(extraction.projection, slot), seed);
      // The sign comes from a bit that the column hardly depends on, so that values which share a column differ half of the time.
      if (signed) extraction.row[at + ((hash & 0x7fffffff) % buckets)] = hash & 0x80000000 ? -1 : 1;
      else extraction.row[at + (hash % buckets)] = 1;
    },
  };
}

/** Symbols hash by name: an enum may gain or reorder symbols, or become a string, and the columns stay. */
function symbolHashes(nodes: readonly SchemaNode[], seed: number): readonly number[] {
  const symbols = nodes.flatMap((node) => (node.kind === 'enum' ? node.symbols : []));
  return symbols.map((symbol) => murmur3(Buffer.from(symbol, 'utf8'), seed));
}

const eight = new DataView(new ArrayBuffer(8));
const eightBytes = new Uint8Array(eight.buffer);

function hashNumber(value: number, seed: number): number {
  // -0 and 0 are one category.
  eight.setFloat64(0, value === 0 ? 0 : value, true);
  return murmur3(eightBytes, seed);
}
