import { SluiceError } from '@sluice/domain';
import { slotKind } from '../projection.ts';
import { invalid } from '../schema-node.ts';
import { columns, expectKind, type FeatureReader, type ReaderPlace, type Spec } from './reader.ts';

/** One column per byte, or per mean of `pool` neighbours. A missing field is refused as one of no bytes. */
export function bytesReader(spec: Spec<'bytes'>, place: ReaderPlace): FeatureReader {
  expectKind(spec, place, ['bytes']);
  const { field, length, divide, pool } = spec;
  if (length % pool !== 0) throw invalid(`feature ${field}: pool ${pool} does not divide length ${length}`);
  const { slot } = place;
  const width = length / pool;
  const divisor = divide * pool;
  // Most models take every byte as it is: a table look-up takes half the time of a division and a sum of one.
  const scaled = Float32Array.from({ length: 256 }, (_, byte) => byte / divisor);
  return {
    width,
    dense: true,
    names: columns(width, (index) => `${field}[${index}]`),
    read({ bytes, row, projection }, at) {
      const start = projection.starts[slot]!;
      const found = projection.present[slot] === slotKind.missing ? 0 : projection.ends[slot]! - start;
      if (found !== length) throw new SluiceError('SLUICE_IMAGE_INVALID', `field ${field} has ${found} bytes, ${length} are expected`);
      if (pool === 1) for (let i = 0; i < width; i++) row[at + i] = scaled[bytes[start + i]!]!;
      else for (let i = 0; i < width; i++) row[at + i] = sumOf(bytes, start + i * pool, pool) / divisor;
    },
  };
}

function sumOf(bytes: Uint8Array, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += bytes[i]!;
  return sum;
}
