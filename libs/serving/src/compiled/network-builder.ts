import {
  lowest,
  noPadding,
  paddingOf,
  vectorFloats,
  type Activation,
  type Combination,
  type Convolution,
  type Copy,
  type Padding,
  type Pool,
  type Shape,
  type Step,
} from './network.ts';
import { Uncompilable } from './uncompilable.ts';

/** What a layer, or a node of a graph, puts out. */
export interface Value {
  /** The step that computes it; -1: the rows. */
  readonly from: number;
  readonly shape: Shape;
  /** Whether it has one axis: a dense layer over an image would act on its last. */
  readonly flat: boolean;
  /** Zeros around it that the next window finds. */
  readonly padding: Padding;
  /** Whether more than one layer reads it, so that none of them may change the step. */
  readonly shared: boolean;
}

/** What a step follows, and the layer that it is for. */
export interface Place {
  readonly name: string;
  readonly value: Value;
}

export interface Windows {
  readonly size: readonly [height: number, width: number];
  readonly strides: readonly [down: number, across: number];
  /** As many outputs as strides fit: what is short is split in two, the odd line at the end (TensorFlow's rule). Else none over the edge. */
  readonly same: boolean;
}

export interface Weights {
  readonly kernel: Float32Array;
  /** Left out: zeros. */
  readonly bias?: Float32Array | undefined;
}

type Window = Pick<Convolution, 'size' | 'strides' | 'output' | 'padding'>;

/** Adds steps one by one, each where there is code for it. Every method throws Uncompilable naming the layer where there is none. */
export class NetworkBuilder {
  readonly steps: Step[] = [];

  convolve(place: Place, windows: Windows, { kernel, bias }: Weights): Value {
    const { value } = place;
    const [height, width] = windows.size;
    const channels = filtersOf(place, kernel, height * width * value.shape.channels);
    const window = windowOf(place, windows, channels);
    return this.#convolve(place, { ...window, kernel, bias: bias ?? new Float32Array(channels) });
  }

  dense(place: Place, { kernel, bias }: Weights): Value {
    const { name, value } = place;
    if (!value.flat) throw new Uncompilable(`${name} is a dense layer over more than one axis`);
    if (value.padding !== noPadding) throw new Uncompilable(`${name} follows padding`);
    const { height, width, channels } = value.shape;
    const output = { height: 1, width: 1, channels: filtersOf(place, kernel, height * width * channels) };
    const window = { size: [height, width], strides: [1, 1], padding: noPadding, output } as const;
    return this.#convolve(place, { ...window, kernel, bias: bias ?? new Float32Array(output.channels) });
  }

  #convolve({ name, value }: Place, parts: Window & Pick<Convolution, 'kernel' | 'bias'>): Value {
    if (parts.bias.length !== parts.output.channels) throw new Uncompilable(`the weights of ${name} do not fit its input`);
    return this.#push(value, { kind: 'convolution', from: value.from, ...parts, input: value.shape, activation: 'linear' });
  }

  depthwise(place: Place, windows: Windows, { kernel, bias }: Weights): Value {
    const { name, value } = place;
    const { channels } = value.shape;
    const window = windowOf(place, windows, channels);
    if (kernel.length !== window.size[0] * window.size[1] * channels) throw new Uncompilable(`${name} multiplies its channels`);
    const weights = { kernel, bias: bias ?? new Float32Array(channels) };
    return this.#push(value, { kind: 'depthwise', from: value.from, ...window, input: value.shape, ...weights, activation: 'linear' });
  }

  pool(place: Place, windows: Windows, kind: Pool['kind']): Value {
    const { name, value } = place;
    const window = windowOf(place, windows, value.shape.channels);
    const bordered = window.padding.some((lines, i) => lines > value.padding[i]!);
    if (!bordered || kind === 'mean' || this.#isPositive(value.from)) return this.#pool(value, window, kind);
    if (value.padding !== noPadding) throw new Uncompilable(`${name} pools over zeros and a border`);
    return this.#pool(this.#copy(value, { border: lowest, whole: true }), window, kind);
  }

  /** A pool over all of an image; what is left has one axis. */
  wholePool(place: Place, kind: Pool['kind']): Value {
    const { name, value } = place;
    const { height, width, channels } = value.shape;
    if (value.flat || value.padding !== noPadding) throw new Uncompilable(`${name} wants another order of axes`);
    const output = { height: 1, width: 1, channels };
    return { ...this.#pool(value, { size: [height, width], strides: [1, 1], padding: noPadding, output }, kind), flat: true };
  }

  #pool(value: Value, window: Window, kind: Pool['kind']): Value {
    const step = { from: value.from, ...window, input: value.shape };
    return this.#push(value, kind === 'max' ? { kind, ...step } : { kind, ...step, shares: sharesOf(value, window) });
  }

  /** Whether no output is below the zeros of a border, which are then never the largest where they must not count. */
  #isPositive(from: number): boolean {
    const step = this.steps[from];
    if (!step) return false;
    if ('activation' in step) return ['relu', 'relu6', 'sigmoid', 'softmax'].includes(step.activation);
    return [step.from, ...('with' in step ? step.with : [])].every((each) => this.#isPositive(each));
  }

  /** @param sizes without the batch: the numbers of a row on one axis (-1: however many there are), or one pixel. */
  reshape({ name, value }: Place, sizes: readonly number[]): Value {
    const { height, width, channels } = value.shape;
    const [first, second, third] = sizes;
    if (sizes.length === 1 && (first === -1 || first === height * width * channels)) return { ...value, flat: true };
    const pixel = height * width === 1 && first === 1 && second === 1 && (third === -1 || third === channels);
    if (sizes.length === 3 && pixel) return { ...value, flat: false };
    throw new Uncompilable(`${name} reshapes to ${sizes.join(' x ')}`);
  }

  pad(value: Value, padding: Padding): Value {
    return { ...value, padding: sum(value.padding, padding) };
  }

  /** Volumes of one shape, or all but one of them with one pixel for all. */
  combine(name: string, kind: Combination['kind'], values: readonly Value[]): Value {
    const pixels = ({ shape }: Value): number => shape.height * shape.width;
    const [first, ...others] = this.#volumes(name, values).sort((a, b) => pixels(b) - pixels(a)) as [Value, ...Value[]];
    const fits = ({ shape: { height, width, channels } }: Value): boolean =>
      channels === first.shape.channels && (height * width === 1 || (height === first.shape.height && width === first.shape.width));
    if (!others.every(fits)) throw new Uncompilable(`${name} combines volumes of different shapes`);
    return others.reduce((value, { from }) => {
      const step = { kind, from: value.from, with: from, input: value.shape, output: value.shape, activation: 'linear' } as const;
      return this.#push(value, step);
    }, first);
  }

  /** @param axis counted with the batch; -1: the last. */
  join(name: string, values: readonly Value[], axis: number): Value {
    const [first, ...others] = this.#volumes(name, values) as [Value, ...Value[]];
    const { height, width } = first.shape;
    if ((axis !== -1 && axis !== (first.flat ? 1 : 3)) || (first.flat && height * width > 1))
      throw new Uncompilable(`${name} joins along another axis than the channels`);
    const uneven = values.slice(0, -1).find(({ shape }) => shape.channels % vectorFloats > 0);
    if (uneven) throw new Uncompilable(`${name} joins ${uneven.shape.channels} channels, no multiple of ${vectorFloats}`);
    const output = { height, width, channels: values.reduce((all, { shape }) => all + shape.channels, 0) };
    const sources = { from: first.from, with: others.map(({ from }) => from) };
    return this.#push(first, { kind: 'join', ...sources, input: first.shape, output });
  }

  /** The activation of the step before, or a step of its own. */
  activate(place: Place, activation: Activation): Value {
    const { value } = place;
    if (activation === 'linear') return value;
    const before = this.#open(place);
    if (!before) return this.#scaled(place, { activation });
    this.steps[value.from] = { ...before, activation };
    return value;
  }

  /** `scale x + shift` for each channel, which the weights of the step before take up where they can. */
  scale(place: Place, { scale, shift }: Scaling): Value {
    const { name, value } = place;
    const { height, width, channels } = value.shape;
    if (value.flat && height * width > 1) throw new Uncompilable(`${name} scales an image that was flattened`);
    if ([scale, shift].some((each) => each && each.length !== channels)) throw new Uncompilable(`${name} scales other than channels`);
    const before = this.#open(place);
    if (!before || !('kernel' in before)) return this.#scaled(place, { scale, shift, activation: 'linear' });
    this.steps[value.from] = {
      ...before,
      kernel: scale ? before.kernel.map((weight, i) => weight * scale[i % channels]!) : before.kernel,
      bias: before.bias.map((bias, i) => bias * (scale?.[i] ?? 1) + (shift?.[i] ?? 0)),
    };
    return value;
  }

  /** A step of its own for what the step before cannot take up: a depthwise convolution of single pixels. */
  #scaled(place: Place, { scale, shift, activation }: Scaling & { readonly activation: Activation }): Value {
    const { value } = place;
    const { channels } = value.shape;
    const window = { size: [1, 1], strides: [1, 1], padding: noPadding, input: value.shape, output: value.shape } as const;
    const weights = {
      kernel: scale ? Float32Array.from(scale) : new Float32Array(channels).fill(1),
      bias: shift ? Float32Array.from(shift) : new Float32Array(channels),
    };
    return this.#push(value, { kind: 'depthwise', from: value.from, ...window, ...weights, activation });
  }

  /** The step before, where its activation is still to come and nothing else reads it. */
  #open({ name, value }: Place): Convolution | Combination | undefined {
    const step = this.steps[value.from];
    if (value.padding !== noPadding) throw new Uncompilable(`${name} follows padding`);
    return step && 'activation' in step && step.activation === 'linear' && !value.shared ? step : undefined;
  }

  /** Each in memory of the network's own, not that of the rows. */
  #volumes(name: string, values: readonly Value[]): Value[] {
    if (values.some(({ padding }) => padding !== noPadding)) throw new Uncompilable(`${name} follows padding`);
    return values.map((value) => (value.from < 0 ? this.#copy(value, { border: 0, whole: true }) : value));
  }

  #copy(value: Value, how: Pick<Copy, 'border' | 'whole'>): Value {
    this.steps.push({ kind: 'copy', from: value.from, input: value.shape, output: value.shape, ...how });
    return { ...value, from: this.steps.length - 1, shared: false };
  }

  #push(value: Value, step: Step): Value {
    const bordered = value.from < 0 && paddingOf(step).some((lines) => lines > 0);
    const from = bordered ? this.#copy(value, { border: 0, whole: false }).from : step.from;
    this.steps.push({ ...step, from });
    return { from: this.steps.length - 1, shape: step.output, flat: value.flat, padding: noPadding, shared: false };
  }
}

/** One number a channel each. Left out: one, and zero. */
export interface Scaling {
  readonly scale?: ArrayLike<number> | undefined;
  readonly shift?: ArrayLike<number> | undefined;
}

const sum = (a: Padding, b: Padding): Padding => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];

function filtersOf({ name }: Place, kernel: Float32Array, inputs: number): number {
  const filters = kernel.length / inputs;
  if (!Number.isInteger(filters)) throw new Uncompilable(`the weights of ${name} do not fit its input`);
  return filters;
}

function windowOf({ name, value }: Place, { size, strides, same }: Windows, channels: number): Window {
  if (value.flat) throw new Uncompilable(`${name} wants another order of axes`);
  const around = value.padding;
  const inputs = [value.shape.height + around[0] + around[2], value.shape.width + around[1] + around[3]];
  const outputs = inputs.map((length, i) => Math.floor((same ? length + strides[i]! - 1 : length - size[i]! + strides[i]!) / strides[i]!));
  const short = inputs.map((length, i) => (same ? Math.max(0, (outputs[i]! - 1) * strides[i]! + size[i]! - length) : 0));
  const [top, left] = [short[0]! >> 1, short[1]! >> 1];
  if (outputs.some((length) => length < 1)) throw new Uncompilable(`${name} is larger than its input`);
  return {
    ...{ size, strides, padding: sum(around, [top, left, short[0]! - top, short[1]! - left]) },
    output: { height: outputs[0]!, width: outputs[1]!, channels },
  };
}

/** For each output one over the numbers of its window; zeros that a layer put around count, those that fill the last windows up do not. */
function sharesOf({ shape, padding: around }: Value, { size, strides, padding, output }: Window): Float32Array {
  const lengths = [shape.height + around[0] + around[2], shape.width + around[1] + around[3]];
  const counted = (axis: 0 | 1, place: number): number => {
    const start = place * strides[axis] - (padding[axis] - around[axis]);
    return Math.min(start + size[axis], lengths[axis]!) - Math.max(start, 0);
  };
  return Float32Array.from(
    { length: output.height * output.width },
    (_, i) => 1 / (counted(0, Math.floor(i / output.width)) * counted(1, i % output.width)),
  );
}

type Moments = Readonly<Record<'gamma' | 'beta' | 'mean' | 'variance', ArrayLike<number> | undefined>>;

/** A normalisation at inference, `gamma (x - mean) / sqrt(variance + epsilon) + beta`; what is left out is one, and zero. */
export function scalingOf({ gamma, beta, mean, variance }: Moments, epsilon: number, channels: number): Required<Scaling> {
  const scale = Float64Array.from({ length: channels }, (_, i) => (gamma?.[i] ?? 1) / Math.sqrt((variance?.[i] ?? 1) + epsilon));
  return { scale, shift: scale.map((factor, i) => (beta?.[i] ?? 0) - (mean?.[i] ?? 0) * factor) };
}
