import { type FeatureSpec, SluiceError } from '@sluice/domain';
import type { FieldKind } from '../field-path.ts';
import type { Projection } from '../projection.ts';
import { invalid } from '../schema-node.ts';

/** What a reader may use while one value is extracted. */
export interface Extraction {
  readonly projection: Projection;
  bytes: Uint8Array;
  row: Float32Array;
  missing: number;
  outOfRange: number;
}

/** Turns one field, or a run of numbers, into its columns. */
export interface FeatureReader {
  /** Number of columns. */
  readonly width: number;
  /** One name a column. */
  readonly names: readonly string[];
  /** Whether it writes every column; absent: those that it leaves must hold zeros before. */
  readonly dense?: true;
  /** Reads the slots and writes its columns from `row[at]` on. */
  read(extraction: Extraction, at: number): void;
}

/** Where a reader finds its field. */
export interface ReaderPlace {
  readonly slot: number;
  readonly projection: Projection;
  /** Whether columns for "missing" and "out of range" are wanted. */
  readonly flags: boolean;
}

export type Spec<Kind extends FeatureSpec['kind']> = Extract<FeatureSpec, { kind: Kind }>;

/** @throws SluiceError SLUICE_SCHEMA_INVALID when the schema gives the field another kind of value than the feature reads. */
export function expectKind(spec: FeatureSpec, { slot, projection }: ReaderPlace, accepted: readonly FieldKind[]): void {
  const kind = projection.kinds[slot]!;
  if (accepted.includes(kind)) return;
  throw invalid(`feature ${spec.field} (${spec.kind}) reads ${accepted.join(' or ')}, the schema has ${kind}`);
}

/** The number in a slot. @throws SluiceError SLUICE_NUMBER_NOT_FINITE naming the field. */
export function finite(projection: Projection, slot: number): number {
  const value = projection.numbers[slot]!;
  if (Number.isFinite(value)) return value;
  throw notFinite(projection, slot);
}

export function notFinite(projection: Projection, slot: number): SluiceError {
  return new SluiceError('SLUICE_NUMBER_NOT_FINITE', `field ${projection.paths[slot]} is ${projection.numbers[slot]}`);
}

export function columns(count: number, name: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => name(index));
}
