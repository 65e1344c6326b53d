import { f32x4, FunctionBuilder, get, i32, increase, repeat, repeatWhile, set, when, type Code, type Local } from './assembler.ts';
import { panelsOf, type Kernel, type Packed } from './convolution-kernel.ts';
import type { Placed } from './memory-plan.ts';
import { vectorFloats, type Convolution } from './network.ts';
import { activated, floatBytes, TileWriter, vectorBytes, tileEnds, type MathCalls } from './tile.ts';

/** Inputs that a tile of 2 x 2 outputs looks at, along one side, and all of them. */
const side = 4;
const places = side * side;
/** Narrower images have too few tiles side by side to share the loads of weights. */
const narrowest = 6;

/**
 * Whether four outputs of a 3 x 3 convolution are computed together, with 16 multiplications for each pair of channels instead of 36
 * (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016, F(2 x 2, 3 x 3)).
 */
export function isWinograd({ step: { kind, size, strides, output, input } }: Pick<Placed<Convolution>, 'step'>): boolean {
  const three = size.every((length) => length === 3) && strides.every((length) => length === 1);
  return kind === 'convolution' && three && input.channels % vectorFloats === 0 && output.width >= narrowest && output.height >= 2;
}

/** Tiles side by side; where the width is odd the last overlaps the one before it. */
const tilesOf = ({ step }: Placed<Convolution>): number => Math.ceil(step.output.width / 2);

/** Bytes of the transformed inputs and the products of one line of tiles. */
export function winogradScratch(placed: Placed<Convolution>): { inputs: number; products: number } {
  const bytes = places * tilesOf(placed) * floatBytes;
  return { inputs: bytes * placed.step.input.channels, products: bytes * placed.output.depth };
}

/** G g G^T for each pair of channels: sixteen matrices [channels, filters], one for each place of a tile. */
export function transformKernel({ step }: Pick<Placed<Convolution>, 'step'>): Float32Array {
  const pairs = step.input.channels * step.output.channels;
  const transformed = new Float32Array(places * pairs);
  const along = (a: number, b: number, c: number): [number, number, number, number] => [a, (a + b + c) / 2, (a - b + c) / 2, c];
  for (let pair = 0; pair < pairs; pair++) {
    const g = (y: number, x: number): number => step.kernel[(3 * y + x) * pairs + pair]!;
    const columns = [0, 1, 2].map((x) => along(g(0, x), g(1, x), g(2, x)));
    for (let y = 0; y < side; y++)
      along(columns[0]![y]!, columns[1]![y]!, columns[2]![y]!).forEach((value, x) => (transformed[(side * y + x) * pairs + pair] = value));
  }
  return transformed;
}

export interface WinogradPlace {
  readonly packed: Packed;
  /** Addresses of scratch memory, and of as many zeros as a panel has channels. */
  readonly inputs: number;
  readonly products: number;
  readonly zeros: number;
}

export function winogradKernel(placed: Placed<Convolution>, place: WinogradPlace, math: MathCalls): Kernel {
  const writer = new WinogradWriter(placed, place, math);
  return { f: writer.f, code: writer.images() };
}

class WinogradWriter {
  readonly f = new FunctionBuilder(['i32', 'i32', 'i32']);
  readonly #placed: Placed<Convolution>;
  readonly #place: WinogradPlace;
  readonly #math: MathCalls;
  readonly #tiles: TileWriter;
  readonly #count: number;
  readonly #ends = tileEnds(this.f);
  /** The first pixel of a line of tiles, in the input and in the output. */
  readonly #line = this.f.local('i32');
  readonly #outLine = this.f.local('i32');
  readonly #outer = this.f.local('i32');
  readonly #inner = this.f.local('i32');
  readonly #values = this.f.locals('v128', places);
  readonly #halfway = this.f.locals('v128', places);

  constructor(placed: Placed<Convolution>, place: WinogradPlace, math: MathCalls) {
    this.#placed = placed;
    this.#place = place;
    this.#math = math;
    this.#count = tilesOf(placed);
    this.#tiles = new TileWriter(this.f, { lines: 1, length: placed.step.input.channels, line: 0 }, get);
  }

  images(): Code {
    const { step, input: given, output: put } = this.#placed;
    const [input, output, rows] = this.f.parameters as [Local, Local, Local];
    const lines = this.f.local('i32');
    return repeatWhile(get(rows), [
      set(this.#line, get(input)),
      set(this.#outLine, i32.add(get(output), i32.constant(put.first))),
      repeat(lines, Math.ceil(step.output.height / 2), [
        lastOverlaps(step.output.height, lines, [increase(this.#line, -given.line), increase(this.#outLine, -put.line)]),
        this.#transformInputs(),
        this.#multiply(),
        this.#transformProducts(),
        increase(this.#line, 2 * given.line),
        increase(this.#outLine, 2 * put.line),
      ]),
      increase(input, given.image),
      increase(output, put.image),
      increase(rows, -1),
    ]);
  }

  /** B^T d B of each tile and channel: place by place, tile by tile, so that each place is a matrix [tiles, channels]. */
  #transformInputs(): Code {
    const { step, input: given } = this.#placed;
    const { from, to } = this.#ends;
    const pixel = given.depth * floatBytes;
    const apart = this.#count * step.input.channels * floatBytes;
    const vectors = step.input.channels / vectorFloats;
    const along = ([a, b, c, d]: Four): Code[] => [
      f32x4.subtract(get(a), get(c)),
      f32x4.add(get(b), get(c)),
      f32x4.subtract(get(c), get(b)),
      f32x4.subtract(get(b), get(d)),
    ];
    const channels: Code = [
      square((y, x) => set(this.#values[side * y + x]!, f32x4.load(get(from), y * given.line + x * pixel))),
      lanes(this.#values, 'down', (column, x) => along(column).map((code, y) => set(this.#halfway[side * y + x]!, code))),
      lanes(this.#halfway, 'across', (line, y) => along(line).map((code, x) => f32x4.store(get(to), code, (side * y + x) * apart))),
      increase(from, vectorBytes),
      increase(to, vectorBytes),
    ];
    return [
      set(from, get(this.#line)),
      set(to, i32.constant(this.#place.inputs)),
      repeat(this.#outer, this.#count, [
        lastOverlaps(step.output.width, this.#outer, increase(from, -pixel)),
        repeat(this.#inner, vectors, channels),
        increase(from, 2 * pixel - vectors * vectorBytes),
      ]),
    ];
  }

  /** For each place the tiles' channels times its weights. */
  #multiply(): Code {
    const { step, output: put } = this.#placed;
    const { from, to, weights, bias } = this.#ends;
    const [inputs, products] = this.f.locals('i32', 2) as [Local, Local];
    const apart = step.input.channels * floatBytes;
    const outApart = put.depth * floatBytes;
    const panel = (vectors: number): Code => [
      set(from, get(inputs)),
      set(to, get(products)),
      this.#tiles.line(this.#count, { apart, outApart, vectors }, this.#ends),
      increase(weights, this.#tiles.panelBytes(vectors)),
      increase(products, vectors * vectorBytes),
    ];
    return [
      set(weights, i32.constant(this.#place.packed.weights)),
      set(bias, i32.constant(this.#place.zeros)),
      set(inputs, i32.constant(this.#place.inputs)),
      set(products, i32.constant(this.#place.products)),
      repeat(this.#outer, places, [
        panelsOf(put).map(({ vectors, count }) => repeat(this.#inner, count, panel(vectors))),
        increase(inputs, this.#count * apart),
        // The panels have gone along one tile.
        increase(products, (this.#count - 1) * outApart),
      ]),
    ];
  }

  /** A^T m A of each tile and channel, bias and activation. */
  #transformProducts(): Code {
    const { step, output: put } = this.#placed;
    const { from, to, bias } = this.#ends;
    const pixel = put.depth * floatBytes;
    const apart = this.#count * pixel;
    const vectors = put.depth / vectorFloats;
    const along = ([a, b, c, d]: Four): [Code, Code] => [
      f32x4.add(f32x4.add(get(a), get(b)), get(c)),
      f32x4.subtract(f32x4.subtract(get(b), get(c)), get(d)),
    ];
    const sum = this.#values[0]!;
    const finish = (code: Code, y: number, x: number): Code => [
      set(sum, f32x4.add(code, f32x4.load(get(bias)))),
      f32x4.store(get(to), activated(sum, step.activation, this.#math), y * put.line + x * pixel),
    ];
    const channels: Code = [
      square((y, x) => set(this.#values[side * y + x]!, f32x4.load(get(from), (side * y + x) * apart))),
      lanes(this.#values, 'down', (column, x) => along(column).map((code, y) => set(this.#halfway[side * y + x]!, code))),
      lanes(this.#halfway.slice(0, 2 * side), 'across', (line, y) => along(line).map((code, x) => finish(code, y, x))),
      [from, to, bias].map((pointer) => increase(pointer, vectorBytes)),
    ];
    return [
      set(from, i32.constant(this.#place.products)),
      set(to, get(this.#outLine)),
      repeat(this.#outer, this.#count, [
        lastOverlaps(step.output.width, this.#outer, increase(to, -pixel)),
        set(bias, i32.constant(this.#place.packed.bias)),
        repeat(this.#inner, vectors, channels),
        increase(to, pixel),
      ]),
    ];
  }
}

/** Where an odd number is covered by twos, the last two begin one earlier; `left` counts down to it. */
function lastOverlaps(length: number, left: Local, earlier: Code): Code {
  return length % 2 === 0 ? [] : when(i32.less(get(left), i32.constant(2)), earlier);
}

const square = (each: (y: number, x: number) => Code): Code => [0, 1, 2, 3].map((y) => [0, 1, 2, 3].map((x) => each(y, x)));

type Four = readonly [Local, Local, Local, Local];

/** Columns or lines of a square, four places each; of half a square the first two lines. */
function lanes(values: readonly Local[], direction: 'down' | 'across', each: (lane: Four, i: number) => Code): Code {
  const count = direction === 'down' ? side : values.length / side;
  return Array.from({ length: count }, (_, i) =>
    each([0, 1, 2, 3].map((k) => values[direction === 'down' ? side * k + i : side * i + k]!) as unknown as Four, i),
  );
}
