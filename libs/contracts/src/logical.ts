import avro, { type Type } from 'avsc';
import type { SlipTier, SparseRow } from '@sluice/domain';
import { decodeSparse, decodeVector, encodeSparse, encodeVector } from './sparse.ts';

const { LogicalType } = avro.types;

/** Base of our conversions: none of them changes how the underlying bytes are resolved between versions. */
abstract class Conversion extends LogicalType {
  protected override _resolve(type: Type): unknown {
    return type instanceof LogicalType && type.constructor === this.constructor ? (value: unknown) => value : undefined;
  }
}

/** Rows on their way into a record: avsc copies what it is given before it asks for the next. Rows are at most 65,536 wide. */
const rowBytes = Buffer.allocUnsafeSlow(65_536 * 6);

/** The beginning of `rowBytes` for each number of columns, made once. */
const rowViews: (Buffer | undefined)[] = [];

class SparseRowType extends Conversion {
  protected override _fromValue(bytes: Buffer): SparseRow {
    return decodeSparse(bytes);
  }
  protected override _toValue(row: SparseRow): Buffer {
    const { length } = row.indices;
    return encodeSparse(row, (rowViews[length] ??= rowBytes.subarray(0, length * 6)));
  }
}

class FloatVectorType extends Conversion {
  protected override _fromValue(bytes: Buffer): Float32Array {
    return decodeVector(bytes);
  }
  protected override _toValue(vector: Float32Array): Buffer {
    return encodeVector(vector);
  }
}

class OpaqueType extends Conversion {
  protected override _fromValue(bytes: Buffer): Uint8Array {
    return new Uint8Array(bytes);
  }
  protected override _toValue(bytes: Uint8Array): Buffer {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

type WireSlipTier = Omit<SlipTier, 'queuePrice'> & { readonly queuePrice: number | null };
/** Tags of the first version lack what came later; avsc reads a logical type by its writer's schema, defaults left out. */
type WrittenSlipTier = Omit<WireSlipTier, 'wait' | 'bar'> & Partial<WireSlipTier>;

/** Infinity is not JSON, and tags are also read by people and other languages: a closed tier is null on the wire. */
class SlipTierType extends Conversion {
  protected override _fromValue({ tier, model, cost, queuePrice, wait = 0, bar = '' }: WrittenSlipTier): SlipTier {
    return { tier, model, cost, queuePrice: queuePrice ?? Infinity, wait, bar };
  }
  protected override _toValue(tier: SlipTier): WireSlipTier {
    return tier.queuePrice === Infinity ? { ...tier, queuePrice: null } : tier;
  }
}

/** Logical types of our own schemas; a reader that does not know them sees the plain Avro type. */
export const logicalTypes = {
  'sluice-sparse-row': SparseRowType,
  'sluice-float-vector': FloatVectorType,
  'sluice-opaque': OpaqueType,
  'sluice-slip-tier': SlipTierType,
};
