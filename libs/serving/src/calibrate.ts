import type { Manifest } from '@sluice/domain';
import type { TensorName } from './backend.ts';
import type { Executor } from './executor.ts';
import { timeAt, timeExecutor, timeInTurn, type Timing } from './timing.ts';

/** Executors differ by rounding only when no output differs by more than this (measured: at most 1.2e-7). */
export const parity = 1e-5;

/** An executor with its times. */
export interface Timed {
  readonly executor: Executor;
  readonly timings: readonly Timing[];
}

/**
 * Two executors as one: the small-batch one for batches up to `upTo` rows, the other above. Both give the same answers
 * within `parity`, so which of them ran does not matter to anyone but the clock.
 */
export class SplitExecutor implements Executor {
  readonly name: string;
  readonly #small: Executor;
  readonly #large: Executor;
  readonly #upTo: number;

  constructor(small: Executor, large: Executor, upTo: number) {
    this.name = `${small.name}+${large.name}`;
    this.#small = small;
    this.#large = large;
    this.#upTo = upTo;
  }

  get bytes(): number {
    return this.#small.bytes + this.#large.bytes;
  }

  get tensors(): number {
    return (this.#small.tensors ?? 0) + (this.#large.tensors ?? 0);
  }

  run(rows: Float32Array, n: number): Float32Array {
    return (n <= this.#upTo ? this.#small : this.#large).run(rows, n);
  }

  dispose(): void {
    this.#small.dispose();
    this.#large.dispose();
  }
}

/** The largest batch up to which `small` is nowhere slower than `large`; 0 when it never pays. */
export function crossover(small: (n: number) => number, large: (n: number) => number, maxBatch: number): number {
  let n = 0;
  while (n < maxBatch && small(n + 1) <= large(n + 1)) n++;
  return n;
}

/**
 * What calibration decided, small enough to hand to the next thread, which then opens the same without timing again.
 * `tensor` is the backend in use, if any; `compiledUpTo` the largest batch that runs in compiled code.
 */
export interface Plan {
  readonly tensor?: TensorName | undefined;
  readonly compiledUpTo: number;
}

/** Puts together what a plan needs of the two; the one that it never uses is disposed of. */
export function assemble(compiled: Executor | undefined, tensor: Executor | undefined, plan: Plan): Executor {
  if (compiled && tensor && plan.tensor && plan.compiledUpTo > 0) return new SplitExecutor(compiled, tensor, plan.compiledUpTo);
  const [taken, other] = plan.tensor ? [tensor, compiled] : [compiled, tensor];
  other?.dispose();
  if (!taken) throw new Error('the plan names an executor that is not there');
  return taken;
}

/** A tensor executor with its times, what handing a batch over to it takes longer than to a thread, microseconds, and how many processors it takes. */
export interface TimedTensor extends Timed {
  readonly name: TensorName;
  readonly hop: number;
  readonly processors: number;
}

/**
 * What a batch costs, its way to the executor and back included: microseconds where one processor computes it. Of more, the geometric mean of the time on
 * the clock and that of all processors together: idle when it was timed, they may have others to serve.
 */
export const costAt = ({ timings, hop, processors }: Omit<TimedTensor, 'name' | 'executor'>, n: number): number =>
  timeAt(timings, n) * Math.sqrt(processors) + hop;

/**
 * Which of the two runs which batches, by their times, and the sentence that says so. Where the tensor executor has to be there at all, both are
 * where it is, and its hop is no difference between them.
 */
export function planByTime(compiled: Timed, tensor: TimedTensor, maxBatch: number): { plan: Plan; timings: Timing[]; why: string } {
  const upTo = (hop: number): number =>
    crossover(
      (n) => timeAt(compiled.timings, n),
      (n) => costAt({ ...tensor, hop }, n),
      maxBatch,
    );
  const everywhere = upTo(tensor.hop) === maxBatch;
  const compiledUpTo = everywhere ? maxBatch : upTo(0);
  const plan = { tensor: everywhere ? undefined : tensor.name, compiledUpTo };
  const taken = everywhere
    ? 'compiled at every batch size'
    : compiledUpTo === 0
      ? `${tensor.name} at every batch size`
      : `compiled up to ${compiledUpTo} rows, ${tensor.name} above`;
  const where = tensor.processors > 1.1 ? `${tensor.name} and ${tensor.processors.toFixed(1)} processors` : tensor.name;
  const times = [1, maxBatch].map((n) => `${n} row(s) in ${micros(compiled, n)} compiled, ${micros(tensor, n)} on ${where}`);
  const timings = tensor.timings.map(({ n }) => ({ n, micros: timeAt(n <= compiledUpTo ? compiled.timings : tensor.timings, n) }));
  return { plan, timings, why: `${taken}: ${times.join(', ')}` };
}

/**
 * Why two executors do not agree on the sample rows, with the row: outputs further apart than `parity`, or another label. Undefined when they do.
 */
export function disagreement(one: Float32Array, other: Float32Array, labels: number): string | undefined {
  for (let row = 0; row * labels < one.length; row++) {
    for (let i = row * labels; i < (row + 1) * labels; i++) {
      const apart = Math.abs(one[i]! - other[i]!);
      if (!(apart <= parity)) return `row ${row}: output ${i % labels} is ${one[i]} against ${other[i]}`;
    }
    const [label, expected] = [largest(one, row, labels), largest(other, row, labels)];
    if (label !== expected) return `row ${row}: the label is ${label} against ${expected}`;
  }
  return undefined;
}

/** The first of the largest outputs of a row. */
export function largest(scores: Float32Array, row: number, labels: number): number {
  let best = 0;
  for (let i = 1; i < labels; i++) if (scores[row * labels + i]! > scores[row * labels + best]!) best = i;
  return best;
}

/** Times an executor for a model within `budget` milliseconds. */
export function timed(executor: Executor, rows: Float32Array, options: { maxBatch: number; budget: number }): Timed {
  return { executor, timings: timeExecutor(executor, rows, options) };
}

/** Two executors timed once more, against each other, at the sizes at which both were timed. */
export function timedInTurn<A extends Timed, B extends Timed>(
  pair: readonly [A, B],
  rows: Float32Array,
  options: { budget: number; now?: () => number },
): [A, B] {
  const [one, other] = pair;
  const sizes = one.timings.map(({ n }) => n).filter((n) => other.timings.some((timing) => timing.n === n));
  const again = timeInTurn([one.executor, other.executor], rows, { ...options, sizes });
  const renewed = <T extends Timed>(timed: T, fresh: readonly Timing[]): T => ({
    ...timed,
    timings: timed.timings.map((before) => fresh.find(({ n }) => n === before.n) ?? before),
  });
  return [renewed(one, again[0]!), renewed(other, again[1]!)];
}

/** Why these outputs are no distributions over the labels; undefined when they are. The first row at fault is named. */
export function notDistributions(scores: Float32Array, manifest: Pick<Manifest, 'labels'>): string | undefined {
  const labels = manifest.labels.length;
  for (let row = 0; row * labels < scores.length; row++) {
    let sum = 0;
    for (let label = 0; label < labels; label++) {
      const score = scores[row * labels + label]!;
      if (!(score >= 0)) return `output ${label} of row ${row} is ${score}`;
      sum += score;
    }
    if (!(Math.abs(sum - 1) <= 1e-3)) return `the outputs of row ${row} add up to ${sum}, not 1 (is the last layer a softmax?)`;
  }
  return undefined;
}

function micros(timed: Timed, n: number): string {
  const time = timeAt(timed.timings, n);
  return `${time < 10 ? time.toFixed(1) : Math.round(time)} us`;
}
