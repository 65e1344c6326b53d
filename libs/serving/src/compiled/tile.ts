import { call, f32x4, get, i32, increase, repeat, repeatWhile, set, type Code, type FunctionBuilder, type Local } from './assembler.ts';
import { vectorFloats, type Activation } from './network.ts';

export const floatBytes = 4;
export const vectorBytes = vectorFloats * floatBytes;

/** Vectors of output channels whose weights lie side by side: two share each load of an input. */
export const panelVectors = 2;
/**
 * Most pixels of a tile: their sums and what they read in one turn take 14 of the 15 SIMD registers that V8 hands out. Each multiplication waits
 * for the one before it on the same sum, so that fewer leave the processor idle.
 */
const mostPixels = 4;
/** Most panels of a tile of one pixel. */
export const mostPanels = 4;

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
  readonly #lines: Local;
  readonly #pieces: Local;
  readonly #x: Local;
  readonly #w: readonly Local[];
  readonly #sums: readonly Local[];

  constructor(f: FunctionBuilder, window: Window, finish: (sum: Local) => Code) {
    this.#window = window;
    this.#finish = finish;
    [this.#input, this.#weight, this.#end, this.#lines, this.#pieces] = f.locals('i32', 5) as [Local, Local, Local, Local, Local];
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
      repeat(this.#lines, lines, [
        set(this.#end, i32.add(get(this.#input), i32.constant(length * floatBytes))),
        repeatWhile(i32.less(get(this.#input), get(this.#end)), this.#turn(shape)),
        lines > 1 ? increase(this.#input, line - length * floatBytes) : [],
      ]),
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

  /**
   * The next number of the window times its weights, for all pixels. One number a turn: TurboFan loads all that a block reads before it computes,
   * sum by sum, what comes of it, so that two numbers would not find registers enough (V8 12.4; four a turn took 1.4 to 1.8 times as long). It
   * repeats turns side by side itself.
   */
  #turn({ pixels, panels, vectors, apart }: TileShape): Code {
    const wide = panels * vectors;
    const weight = (v: number): Code =>
      f32x4.load(get(this.#weight), Math.floor(v / vectors) * this.panelBytes(vectors) + (v % vectors) * vectorBytes);
    const add = (sum: Local, w: Code): Code => set(sum, f32x4.multiplyAdd(get(this.#x), w, get(sum)));
    const x = (pixel: number): Code => set(this.#x, f32x4.loadSplat(get(this.#input), pixel * apart));
    return [
      pixels === 1
        ? [x(0), each(wide, (v) => add(this.#sums[v]!, weight(v)))]
        : [
            each(wide, (v) => set(this.#w[v]!, weight(v))),
            each(pixels, (i) => [x(i), each(wide, (v) => add(this.#sums[i * wide + v]!, get(this.#w[v]!)))]),
          ],
      increase(this.#input, floatBytes),
      increase(this.#weight, vectors * vectorBytes),
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
