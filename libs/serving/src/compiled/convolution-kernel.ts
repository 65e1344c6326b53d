import { FunctionBuilder, get, i32, increase, repeat, repeatWhile, set, when, type Code, type Local } from './assembler.ts';
import type { Layout, Placed } from './memory-plan.ts';
import { vectorFloats, type Convolution } from './network.ts';
import {
  activated,
  evenly,
  floatBytes,
  mostPanels,
  panelVectors,
  TileWriter,
  vectorBytes,
  type MathCalls,
  tileEnds,
  type Window,
} from './tile.ts';

/** Addresses of weights and bias, the weights panel by panel. */
export interface Packed {
  readonly weights: number;
  readonly bias: number;
}

/** Output channels whose weights lie side by side: panels of eight, and one of four where four are left. */
export interface Panels {
  readonly vectors: number;
  readonly count: number;
  /** The first channel of the first. */
  readonly from: number;
}

export function panelsOf({ depth }: Layout): Panels[] {
  const vectors = depth / vectorFloats;
  const pairs = Math.floor(vectors / panelVectors);
  return [
    { vectors: panelVectors, count: pairs, from: 0 },
    { vectors: 1, count: vectors % panelVectors, from: pairs * panelVectors * vectorFloats },
  ].filter(({ count }) => count > 0);
}

/** A window as wide as its input is one line. What fills a pixel up is read only where another pixel follows: zero times infinity is no number. */
export function windowOf({ step, input }: Pick<Placed<Convolution>, 'step' | 'input'>): Window {
  const [height, width] = step.size;
  const { line } = input;
  if (height * width === 1) return { lines: 1, length: input.shape.channels, line };
  const length = width * input.depth;
  return length * floatBytes === line ? { lines: 1, length: height * length, line } : { lines: height, length, line };
}

/** A function (input, output, rows): addresses of the first row's, and how many there are. */
export interface Kernel {
  readonly f: FunctionBuilder;
  readonly code: Code;
}

/** A convolution, or a dense layer, whose rows are what pixels are to a convolution. */
export function convolutionKernel(placed: Placed<Convolution>, packed: Packed, math: MathCalls): Kernel {
  const { height, width } = placed.output.shape;
  const writer = new KernelWriter(placed, packed, math);
  return { f: writer.f, code: height * width === 1 ? writer.dense() : writer.images() };
}

/** Rows that a dense layer takes at once. */
const denseRows = 4;

class KernelWriter {
  readonly f = new FunctionBuilder(['i32', 'i32', 'i32']);
  readonly #placed: Placed<Convolution>;
  readonly #packed: Packed;
  readonly #tiles: TileWriter;
  readonly #window: Window;
  readonly #ends = tileEnds(this.f);
  readonly #input = this.f.parameters[0]!;
  readonly #output = this.f.parameters[1]!;
  readonly #rows = this.f.parameters[2]!;
  readonly #panel = this.f.local('i32');

  constructor(placed: Placed<Convolution>, packed: Packed, math: MathCalls) {
    this.#placed = placed;
    this.#packed = packed;
    this.#window = windowOf(placed);
    this.#tiles = new TileWriter(this.f, this.#window, (sum) => activated(sum, placed.step.activation, math));
  }

  /** Rows in fours, and what is left row by row. */
  dense(): Code {
    const { input: given, output: put } = this.#placed;
    const four = i32.less(i32.constant(denseRows - 1), get(this.#rows));
    const left = this.f.local('i32');
    return [
      when(four, [
        this.#rowsInFours(left),
        set(left, i32.and(get(this.#rows), i32.constant(-denseRows))),
        set(this.#input, i32.add(get(this.#input), i32.multiply(get(left), i32.constant(given.image)))),
        set(this.#output, i32.add(get(this.#output), i32.multiply(get(left), i32.constant(put.image)))),
        set(this.#rows, i32.and(get(this.#rows), i32.constant(denseRows - 1))),
      ]),
      when(get(this.#rows), this.#eachRow(this.#row())),
    ];
  }

  #rowsInFours(left: Local): Code {
    const { input: given, output: put } = this.#placed;
    const { from, to } = this.#ends;
    return this.#eachPanel((vectors) => [
      set(from, get(this.#input)),
      set(to, this.#panelOutput()),
      set(left, get(this.#rows)),
      repeatWhile(i32.less(i32.constant(denseRows - 1), get(left)), [
        this.#tiles.tile({ pixels: denseRows, apart: given.image, outApart: put.image, panels: 1, vectors }, this.#ends),
        increase(from, denseRows * given.image),
        increase(to, denseRows * put.image),
        increase(left, -denseRows),
      ]),
    ]);
  }

  /** One row, several panels at once: there is no other row to share a weight with. */
  #row(): Code {
    const { from, to } = this.#ends;
    const groups = panelsOf(this.#placed.output).map((panels): Code => [
      this.#firstPanel(panels),
      evenly(panels.count, mostPanels).map(({ size, times }) =>
        repeat(this.#panel, times, [
          set(to, this.#panelOutput()),
          this.#tiles.tile({ pixels: 1, apart: 0, outApart: 0, panels: size, vectors: panels.vectors }, this.#ends),
          this.#nextPanel(panels, size),
        ]),
      ),
    ]);
    return [set(from, get(this.#input)), groups];
  }

  /** Image by image, panel by panel, line by line: the weights of a panel stay in the first cache. */
  images(): Code {
    const { step, input: given, output: put } = this.#placed;
    const { from, to } = this.#ends;
    const [line, outLine, lines] = this.f.locals('i32', 3) as [Local, Local, Local];
    const apart = step.strides[1] * given.depth * floatBytes;
    const outApart = put.depth * floatBytes;
    const panel = (vectors: number): Code => [
      set(line, get(this.#input)),
      set(outLine, this.#panelOutput()),
      repeat(lines, put.shape.height, [
        set(from, get(line)),
        set(to, get(outLine)),
        this.#tiles.line(put.shape.width, { apart, outApart, vectors }, this.#ends),
        increase(line, step.strides[0] * given.line),
        increase(outLine, put.line),
      ]),
    ];
    return this.#eachRow(this.#eachPanel(panel));
  }

  #eachRow(body: Code): Code {
    const { input: given, output: put } = this.#placed;
    return repeatWhile(get(this.#rows), [
      body,
      increase(this.#input, given.image),
      increase(this.#output, put.image),
      increase(this.#rows, -1),
    ]);
  }

  #eachPanel(body: (vectors: number) => Code): Code {
    return panelsOf(this.#placed.output).map((panels): Code => [
      this.#firstPanel(panels),
      repeat(this.#panel, panels.count, [body(panels.vectors), this.#nextPanel(panels, 1)]),
    ]);
  }

  #firstPanel({ from }: Panels): Code {
    const { lines, length } = this.#window;
    return [
      set(this.#ends.weights, i32.constant(this.#packed.weights + from * lines * length * floatBytes)),
      set(this.#ends.bias, i32.constant(this.#packed.bias + from * floatBytes)),
    ];
  }

  #nextPanel({ vectors }: Panels, by: number): Code {
    return [increase(this.#ends.weights, by * this.#tiles.panelBytes(vectors)), increase(this.#ends.bias, by * vectors * vectorBytes)];
  }

  /** Where the panel's first output of the row goes: as far into a pixel as its bias is into all biases. */
  #panelOutput(): Code {
    const channel = i32.subtract(get(this.#ends.bias), i32.constant(this.#packed.bias));
    return i32.add(i32.add(get(this.#output), i32.constant(this.#placed.output.first)), channel);
  }
}
