/** Floats of a SIMD register. */
export const vectorFloats = 4;

export const activations = ['linear', 'relu', 'relu6', 'sigmoid', 'tanh', 'softmax'] as const;
export type Activation = (typeof activations)[number];

/** Height, width and channels of one row; a vector is one pixel. */
export interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Pixels of zeros around a volume: top, left, bottom, right. */
export type Padding = readonly [top: number, left: number, bottom: number, right: number];

export const noPadding: Padding = [0, 0, 0, 0];

interface Computed {
  /** Index of the step whose output it reads; -1 for the rows themselves. */
  readonly from: number;
  readonly input: Shape;
  readonly output: Shape;
}

export interface Windowed extends Computed {
  readonly size: readonly [height: number, width: number];
  readonly strides: readonly [down: number, across: number];
}

/**
 * `activation(sum of kernel x window + bias)`; kernel row-major [height, width, channels, filters], of a depthwise one [height, width, channels],
 * each channel by itself. A dense layer is a convolution whose window is its whole input.
 */
export interface Convolution extends Windowed {
  readonly kind: 'convolution' | 'depthwise';
  readonly padding: Padding;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  readonly activation: Activation;
}

/** The largest number of each window, what is around the volume among them. */
export interface Max extends Windowed {
  readonly kind: 'max';
  readonly padding: Padding;
}

/** The sum of each window times the share of each of its numbers: one for each pixel of the output, since a border may not count. */
export interface Mean extends Windowed {
  readonly kind: 'mean';
  readonly padding: Padding;
  readonly shares: Float32Array;
}

export type Pool = Max | Mean;

/** The sum or product of two volumes, number by number; the other may have one pixel for all. */
export interface Combination extends Computed {
  readonly kind: 'sum' | 'product';
  /** Index of the other step. */
  readonly with: number;
  readonly activation: Activation;
}

/** Volumes of one height and width, their channels one behind the other. */
export interface Join extends Computed {
  readonly kind: 'join';
  /** Indexes of the other steps. */
  readonly with: readonly number[];
}

/** What it reads, in the middle of a border: rows, which have none, or a volume whose border is to be of other numbers than zeros. */
export interface Copy extends Computed {
  readonly kind: 'copy';
  readonly border: number;
  /** Whether its pixels are whole vectors, which those of rows need not be. */
  readonly whole: boolean;
}

/** Less than any number: what is around a volume of which the largest number is asked. */
export const lowest = -3.4028234663852886e38;

export type Step = Convolution | Pool | Combination | Join | Copy;

/** Steps whose outputs it reads; -1: the rows. */
export const sourcesOf = (step: Step): readonly number[] => [step.from, ...('with' in step ? [step.with].flat() : [])];

export const paddingOf = (step: Step): Padding => ('padding' in step ? step.padding : noPadding);

/** Layers as they are at inference, each behind those that it reads. */
export interface Network {
  readonly input: Shape;
  readonly steps: readonly Step[];
}
