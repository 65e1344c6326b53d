import { call, f32x4, get, i32, increase, repeat, repeatWhile, set, type Code, type FunctionBuilder, type Local } from './assembler.ts';
import { vectorFloats, type Activation } from './network.ts';

export const floatBytes = 4;
export const vectorBytes = vectorFloats * floatBytes;

/** Vectors of output channels whose weights lie side by side: two share each load of an input. */
export const panelVectors = 2;
/**
 * Most pixels, and most panels for one pixel, of a tile. Their sums take ten and eight of sixteen registers, and each multiplication waits for
 * the one before it on the same sum: fewer leave the processor idle (measured on a CNN: 4 pixels 10 % slower, 3 30 %), more do not fit.
 */
const mostPixels = 5;
export const mostPanels = 4;
/** Windows of up to so many numbers are written out without loops; longer ones turn by turn. */
const unrolled = 32;
const turn = 4;

/** Numbers of the input that one output looks at. Bytes between the starts of two lines. */
export interface Window {
  readonly lines: number;
  readonly length: number;
  readonly line: number;
}

/** Outputs that are summed at once. Bytes between the windows of two pixels, and between what they put out. */
export interface TileShape {
  readonly pixels: number;
  readonly panels: number;
  readonly vectors: number;
  readonly apart: number;
  readonly outApart: number;
}

/** Addresses: of the first pixel's window, of its output, of weights and bias of the first panel. */
export interface TileEnds {
  readonly from: Local;
  readonly to: Local;
  readonly weights: Local;
  readonly bias: Local;
}

/** Indexes of functions that WebAssembly does not have, by activation. */
export type MathCalls = Readonly<Partial<Record<Activation, number>>>;

export const tileEnds = (f: FunctionBuilder): TileEnds => ({
  from: f.local('i32'),
  to: f.local('i32'),
  weights: f.local('i32'),
  bias: f.local('i32'),
});

/** Splits a count into pieces of about the same size, none above `most`. */
export function evenly(count: number, most: number): { size: number; times: number }[] {
  const pieces = Math.ceil(count / most);
  const size = Math.floor(count / pieces);
  const larger = count % pieces;
  return [
    { size: size + 1, times: larger },
    { size, times: pieces - larger },
  ].filter(({ times }) => times > 0);
}

const each = (count: number, make: (i: number) => Code): Code => Array.from({ length: count }, (_, i) => make(i));

/** Writes the innermost code: sums for a few pixels and channels, kept in registers from the bias to the activation. */
export class TileWriter {
  readonly #window: Window;
  readonly #finish: (sum: Local) => Code;
  readonly #input: Local;
  readonly #weight: Local;
  readonly #end: Local;
  readonly #pieces: Local;
  readonly #x: Local;
  readonly #w: readonly Local[];
  readonly #sums: readonly Local[];

  constructor(f: FunctionBuilder, window: Window, finish: (sum: Local) => Code) {
    this.#window = window;
    this.#finish = finish;
    [this.#input, this.#weight, this.#end, this.#pieces] = f.locals('i32', 4) as [Local, Local, Local, Local];
    this.#x = f.local('v128');
    this.#w = f.locals('v128', panelVectors);
    this.#sums = f.locals('v128', Math.max(mostPixels, mostPanels) * panelVectors);
  }

  /** Bytes of the weights of one panel. */
  panelBytes(vectors: number): number {
    return this.#window.lines * this.#window.length * vectors * vectorBytes;
  }

  tile(shape: TileShape, { from, to, weights, bias }: TileEnds): Code {
    const { lines, length, line } = this.#window;
    const wide = shape.panels * shape.vectors;
    const sum = (pixel: number, v: number): Local => this.#sums[pixel * wide + v]!;
    return [
      each(shape.pixels, (i) => each(wide, (v) => set(sum(i, v), f32x4.load(get(bias), v * vectorBytes)))),
      set(this.#input, get(from)),
      set(this.#weight, get(weights)),
      lines * length <= unrolled
        ? each(lines, (y) => each(length, (k) => this.#multiply(shape, y * length + k, y * line + k * floatBytes)))
        : each(lines, (y) => this.#line(shape, y === lines - 1)),
      each(shape.pixels, (i) => each(wide, (v) => f32x4.store(get(to), this.#finish(sum(i, v)), i * shape.outApart + v * vectorBytes))),
    ];
  }

  /** As many pixels as a line of the output has; `from` and `to` are then behind the last. */
  line(pixels: number, shape: Pick<TileShape, 'apart' | 'outApart' | 'vectors'>, ends: TileEnds): Code {
    return evenly(pixels, mostPixels).map(({ size, times }) =>
      repeat(this.#pieces, times, [
        this.tile({ ...shape, pixels: size, panels: 1 }, ends),
        increase(ends.from, size * shape.apart),
        increase(ends.to, size * shape.outApart),
      ]),
    );
  }

  /** One line of the window, in turns of a few numbers; unless it is the last, input and weights are then at the next. */
  #line(shape: TileShape, last: boolean): Code {
    const { length, line } = this.#window;
    const turns = Math.floor(length / turn);
    const rest = length % turn;
    const looped = repeatWhile(i32.less(get(this.#input), get(this.#end)), [
      each(turn, (k) => this.#multiply(shape, k, k * floatBytes)),
      increase(this.#input, turn * floatBytes),
      increase(this.#weight, turn * shape.vectors * vectorBytes),
    ]);
    return [
      turns > 0 ? [set(this.#end, i32.add(get(this.#input), i32.constant(turns * turn * floatBytes))), looped] : [],
      each(rest, (k) => this.#multiply(shape, k, k * floatBytes)),
      last ? [] : [increase(this.#input, line - turns * turn * floatBytes), increase(this.#weight, rest * shape.vectors * vectorBytes)],
    ];
  }

  /** Number `k` from the weights' pointer times its weights, for all pixels; it lies `offset` bytes from the input's pointer. */
  #multiply({ pixels, panels, vectors, apart }: TileShape, k: number, offset: number): Code {
    const wide = panels * vectors;
    const weight = (v: number): Code =>
      f32x4.load(get(this.#weight), Math.floor(v / vectors) * this.panelBytes(vectors) + (k * vectors + (v % vectors)) * vectorBytes);
    const add = (sum: Local, w: Code): Code => set(sum, f32x4.multiplyAdd(get(this.#x), w, get(sum)));
    const x = (pixel: number): Code => set(this.#x, f32x4.loadSplat(get(this.#input), pixel * apart + offset));
    if (pixels === 1) return [x(0), each(wide, (v) => add(this.#sums[v]!, weight(v)))];
    return [
      each(wide, (v) => set(this.#w[v]!, weight(v))),
      each(pixels, (i) => [x(i), each(wide, (v) => add(this.#sums[i * wide + v]!, get(this.#w[v]!)))]),
    ];
  }
}

/** The activation of four sums. The softmax, which needs all of a row, is left to the caller. */
export function activated(value: Local, activation: Activation, math: MathCalls): Code {
  const positive = f32x4.max(get(value), f32x4.constant(0));
  switch (activation) {
    case 'linear':
    case 'softmax':
      return get(value);
    case 'relu':
      return positive;
    case 'relu6':
      return f32x4.min(positive, f32x4.constant(6));
    case 'sigmoid':
    case 'tanh':
      return call(math[activation]!, get(value));
  }
}
