import type { Head, SparseRow } from '@sluice/domain';
import { headLogit, sigmoid } from '@sluice/routing';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Step of AdaGrad per unit of normalised gradient (docs/routing.md 3b). */
export const learningRate = 0.15;

/** Keeps the first step of a column finite where its first gradient is almost 0. */
const smallest = 1e-6;

/**
 * A logistic head that learns example by example with AdaGrad (Duchi, Hazan, Singer 2011): each column has its own rate, so
 * rare hashed words and the ever-present confidence learn side by side.
 *
 * Weights are float32 like the published ones: what is learned, published and restored are the same numbers.
 */
export class OnlineHead {
  readonly weights: Float32Array;
  readonly #squares: Float32Array;

  constructor(weights: Float32Array, squares: Float32Array) {
    this.weights = weights;
    this.#squares = squares;
  }

  static create(width: number): OnlineHead {
    return new OnlineHead(new Float32Array(width), new Float32Array(width));
  }

  static read(from: ByteReader): OnlineHead {
    return new OnlineHead(from.f32s(), from.f32s());
  }

  /** Takes over what `write` kept of a head of the same width. @throws RangeError when it is of another. */
  restore(from: ByteReader): void {
    for (const own of [this.weights, this.#squares]) {
      const kept = from.f32s();
      if (kept.length !== own.length) throw new RangeError(`a head of ${kept.length} weights where ${own.length} are expected`);
      own.set(kept);
    }
  }

  write(to: ByteWriter): void {
    to.f32s(this.weights).f32s(this.#squares);
  }

  /** Probability without the floor of published scores. */
  predict(row: SparseRow): number {
    return sigmoid(headLogit(this.weights, row));
  }

  /** One step towards `label`, which may be soft (in [0, 1]), counted `weight` times. */
  learn(row: SparseRow, label: number, weight: number): void {
    this.shift(row, (this.predict(row) - label) * weight);
  }

  /**
   * One step along `slope` x row. The logistic gradient is linear in the label, so a label that turns out to be
   * `after` where `before` was learned is repaired by `shift(row, (before - after) * weight)`.
   */
  shift(row: SparseRow, slope: number): void {
    if (!Number.isFinite(slope) || slope === 0) return;
    const { indices, values } = row;
    for (let i = 0; i < indices.length; i++) this.nudge(indices[i]!, slope * values[i]!);
  }

  /** One step of one weight down its gradient. */
  nudge(column: number, gradient: number): void {
    const square = this.#squares[column]! + gradient * gradient;
    this.#squares[column] = square;
    this.weights[column]! -= (learningRate * gradient) / Math.sqrt(square + smallest);
  }

  /** After a change of the world: forget most of what slows the steps down, keep the weights (docs/routing.md 3b). */
  quicken(): void {
    for (let column = 0; column < this.#squares.length; column++) this.#squares[column]! *= 0.05;
  }

  publish(tier: string, stage: Head['stage']): Head {
    return { tier, stage, weights: this.weights.slice() };
  }
}
