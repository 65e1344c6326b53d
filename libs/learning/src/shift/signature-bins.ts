import { murmur3, type SparseRow } from '@sluice/domain';
import { biasColumn, loadColumns } from '@sluice/routing';
import type { ByteReader, ByteWriter } from '../bytes.ts';

/** Figures of a row that are looked at: its first columns as they are, and random projections of all of it. */
const looks = { columns: 8, projections: 8 };
export const figures = looks.columns + looks.projections;

/** Events whose figures set the bins. */
const sampled = 256;
const cuts = [1, 2, 3, 4, 5, 6, 7];

/** A figure lies between two cuts, or on one: what is nearly always 0 must show when it falls as well as when it rises. */
export const binCount = 2 * cuts.length + 1;

/**
 * Sorts the figures of signatures into bins that are about equally full at first. Load columns are left out: they change with the system, not with
 * what it is asked.
 */
export class SignatureBins {
  /** Column -> index of its figure. */
  readonly #columns: ReadonlyMap<number, number>;
  readonly #left: ReadonlySet<number>;
  /** By column: one random sign per projection. */
  readonly #signs: Uint8Array;
  #sample: Float32Array[] = [];
  /** By figure; empty until the sample is full. */
  #edges: Float32Array[] = [];

  constructor(width: number) {
    this.#left = new Set([biasColumn, ...loadColumns]);
    this.#signs = Uint8Array.from({ length: width }, (_, column) => murmur3(Uint8Array.of(column & 255, column >> 8), 0x5157));
    const own = Array.from({ length: width }, (_, column) => column).filter((column) => !this.#left.has(column));
    this.#columns = new Map(own.slice(0, looks.columns).map((column, index) => [column, index]));
  }

  read(from: ByteReader): void {
    this.#sample = Array.from({ length: from.u32() }, () => from.f32s());
    this.#edges = Array.from({ length: from.u32() }, () => from.f32s());
  }

  write(to: ByteWriter): void {
    to.u32(this.#sample.length);
    for (const row of this.#sample) to.f32s(row);
    to.u32(this.#edges.length);
    for (const edges of this.#edges) to.f32s(edges);
  }

  /** The bin of each figure; undefined while the bins are being set. */
  sort(row: SparseRow): Uint8Array | undefined {
    const values = this.#figuresOf(row);
    if (this.#edges.length > 0) return binsOf(values, this.#edges);
    this.#sample.push(values);
    if (this.#sample.length >= sampled) this.#set();
    return undefined;
  }

  restart(): void {
    this.#edges = [];
    this.#sample = [];
  }

  #set(): void {
    this.#edges = Array.from({ length: figures }, (_, figure) => {
      const sorted = new Float32Array(this.#sample.map((values) => values[figure]!)).sort();
      return Float32Array.from(cuts, (cut) => sorted[Math.floor((cut * sorted.length) / (cuts.length + 1))]!);
    });
    this.#sample = [];
  }

  #figuresOf({ indices, values }: SparseRow): Float32Array {
    const result = new Float32Array(figures);
    for (let i = 0; i < indices.length; i++) {
      const column = indices[i]!;
      if (this.#left.has(column)) continue;
      const figure = this.#columns.get(column);
      if (figure !== undefined) result[figure] = values[i]!;
      const signs = this.#signs[column] ?? 0;
      for (let at = 0; at < looks.projections; at++) result[looks.columns + at]! += (signs >> at) & 1 ? values[i]! : -values[i]!;
    }
    return result;
  }
}

function binsOf(values: Float32Array, edges: readonly Float32Array[]): Uint8Array {
  const bins = new Uint8Array(values.length);
  for (let figure = 0; figure < values.length; figure++) {
    const value = values[figure]!;
    for (const edge of edges[figure]!) bins[figure]! += (value > edge ? 1 : 0) + (value >= edge ? 1 : 0);
  }
  return bins;
}
