import { copyMemory, f32x4, FunctionBuilder, get, i32, increase, repeat, repeatWhile, set, type Code, type Local } from './assembler.ts';
import type { Kernel, Packed } from './convolution-kernel.ts';
import { wholeVectors, type Layout, type Placed } from './memory-plan.ts';
import { vectorFloats, type Combination, type Convolution, type Copy, type Join, type Pool } from './network.ts';
import { activated, floatBytes, vectorBytes, type MathCalls } from './tile.ts';

/** Code for one pixel of the output and four of its channels: reads at `from`, writes at `to`. */
type PixelCode = (from: Local, to: Local) => Code;

interface Walk {
  /** Bytes of the input from one output pixel to the next, along a line and from line to line. */
  readonly across: number;
  readonly down: number;
  readonly code: PixelCode;
  /** Before each pixel, after each line and each row: for pointers of the code's own. */
  readonly eachPixel?: Code;
  readonly eachLine?: Code;
  readonly eachRow?: Code;
}

/**
 * Walks over all pixels of all rows, four channels at a time. Of rows, whose pixels are not filled up, the last four reach into what follows,
 * maybe another row: what comes of it is made zero, so that no row answers for another one's numbers.
 */
function walk(f: FunctionBuilder, { input: given, output: put }: Placed, walked: Walk): Code {
  const { across, down, code, eachPixel = [], eachLine = [], eachRow = [] } = walked;
  const [input, output, rows] = f.parameters as [Local, Local, Local];
  const [line, outLine, lines, from, to, columns, channels] = f.locals('i32', 7) as [Local, Local, Local, Local, Local, Local, Local];
  const vectors = wholeVectors(put.shape.channels);
  const own = given.depth % vectorFloats;
  return repeatWhile(get(rows), [
    set(line, get(input)),
    set(outLine, i32.add(get(output), i32.constant(put.first))),
    repeat(lines, put.shape.height, [
      set(from, get(line)),
      set(to, get(outLine)),
      repeat(columns, put.shape.width, [
        eachPixel,
        repeat(channels, vectors, [code(from, to), increase(from, vectorBytes), increase(to, vectorBytes)]),
        own > 0 ? fillUp(to, own) : [],
        increase(from, across - vectors * vectorBytes),
      ]),
      eachLine,
      increase(line, down),
      increase(outLine, put.line),
    ]),
    eachRow,
    increase(input, given.image),
    increase(output, put.image),
    increase(rows, -1),
  ]);
}

/** Makes zero what is not a channel in the vector just put out. */
const fillUp = (to: Local, channels: number): Code => {
  const last = i32.subtract(get(to), i32.constant(vectorBytes));
  return f32x4.store(last, f32x4.first(f32x4.load(last), channels));
};

const newKernel = (): FunctionBuilder => new FunctionBuilder(['i32', 'i32', 'i32']);

/** Largest or mean number of each window; a mean's shares are its weights. Line by line, so that a pool over a whole image is no longer than one over two pixels. */
export function poolKernel(placed: Placed<Pool>, shares: Packed | undefined): Kernel {
  const { step, input } = placed;
  const f = newKernel();
  const [height, width] = step.size;
  const [at, lines, share] = f.locals('i32', 3) as [Local, Local, Local];
  const [value, scale] = f.locals('v128', 2) as [Local, Local];
  const next = (x: number): Code => f32x4.load(get(at), x * input.depth * floatBytes);
  const combine = step.kind === 'max' ? f32x4.max : f32x4.add;
  const pooled: PixelCode = (from, to) => [
    set(at, get(from)),
    set(value, step.kind === 'max' ? next(0) : f32x4.constant(0)),
    repeat(lines, height, [Array.from({ length: width }, (_, x) => set(value, combine(get(value), next(x)))), increase(at, input.line)]),
    f32x4.store(get(to), shares ? f32x4.multiply(get(value), get(scale)) : get(value)),
  ];
  const walked = { ...steps(placed), code: pooled };
  if (!shares) return { f, code: walk(f, placed, walked) };
  const eachPixel = [set(scale, f32x4.loadSplat(get(share))), increase(share, floatBytes)];
  const eachRow = set(share, i32.constant(shares.weights));
  return { f, code: [eachRow, walk(f, placed, { ...walked, eachPixel, eachRow })] };
}

/** Each channel by itself: its window times its kernel. */
export function depthwiseKernel(placed: Placed<Convolution>, packed: Packed, math: MathCalls): Kernel {
  const { step, input, output } = placed;
  const f = newKernel();
  const [height, width] = step.size;
  const weight = f.local('i32');
  const value = f.local('v128');
  const window = Array.from({ length: height * width }, (_, i) => ({ y: Math.floor(i / width), x: i % width, i }));
  const code: PixelCode = (from, to) => [
    set(value, f32x4.load(get(weight), packed.bias - packed.weights)),
    window.map(({ y, x, i }) => {
      const number = f32x4.load(get(from), y * input.line + x * input.depth * floatBytes);
      return set(value, f32x4.multiplyAdd(number, f32x4.load(get(weight), i * output.depth * floatBytes), get(value)));
    }),
    f32x4.store(get(to), activated(value, step.activation, math)),
    increase(weight, vectorBytes),
  ];
  return { f, code: walk(f, placed, { ...steps(placed), code, eachPixel: set(weight, i32.constant(packed.weights)) }) };
}

const steps = ({ step, input }: Placed<Convolution | Pool>): Pick<Walk, 'across' | 'down'> => ({
  across: step.strides[1] * input.depth * floatBytes,
  down: step.strides[0] * input.line,
});

/** Outputs of another step. */
export interface Source {
  readonly address: number;
  readonly layout: Layout;
}

export function combinationKernel(placed: Placed<Combination>, { address, layout }: Source, math: MathCalls): Kernel {
  const { step, input } = placed;
  const f = newKernel();
  const [at, line] = f.locals('i32', 2) as [Local, Local];
  const value = f.local('v128');
  const combine = step.kind === 'sum' ? f32x4.add : f32x4.multiply;
  const code: PixelCode = (from, to) => [
    set(value, combine(f32x4.load(get(from)), f32x4.load(get(at)))),
    f32x4.store(get(to), activated(value, step.activation, math)),
    increase(at, vectorBytes),
  ];
  // One pixel for all is read anew for each of them.
  const single = layout.shape.height * layout.shape.width === 1;
  const lines = single ? 0 : step.output.height;
  const atLine = set(at, get(line));
  return {
    f,
    code: [
      set(line, i32.constant(address + layout.first)),
      atLine,
      walk(f, placed, {
        ...{ across: input.depth * floatBytes, down: input.line, code },
        ...(single ? { eachPixel: atLine } : { eachLine: [increase(line, layout.line), atLine] }),
        eachRow: [increase(line, layout.image - lines * layout.line), atLine],
      }),
    ],
  };
}

export function joinKernel({ output: put }: Placed<Join>, sources: readonly Source[]): Kernel {
  const f = newKernel();
  const [, output, rows] = f.parameters as [Local, Local, Local];
  const [line, to, lines, columns, vectors] = f.locals('i32', 5) as [Local, Local, Local, Local, Local];
  const { height, width } = put.shape;
  const joined = sources.map(({ address, layout }) => ({ address, layout, from: f.local('i32') }));
  const code = [
    joined.map(({ address, layout, from }) => set(from, i32.constant(address + layout.first))),
    repeatWhile(get(rows), [
      set(line, i32.add(get(output), i32.constant(put.first))),
      repeat(lines, height, [
        set(to, get(line)),
        repeat(
          columns,
          width,
          joined.map(({ layout, from }) =>
            repeat(vectors, wholeVectors(layout.shape.channels), [
              f32x4.store(get(to), f32x4.load(get(from))),
              increase(from, vectorBytes),
              increase(to, vectorBytes),
            ]),
          ),
        ),
        joined.map(({ layout, from }) => increase(from, layout.line - width * layout.depth * floatBytes)),
        increase(line, put.line),
      ]),
      joined.map(({ layout, from }) => increase(from, layout.image - height * layout.line)),
      increase(output, put.image),
      increase(rows, -1),
    ]),
  ];
  return { f, code };
}

/** Copies a volume into the middle of a border, which is there already. */
export function copyKernel(placed: Placed<Copy>): Kernel {
  const { input: given, output: put } = placed;
  const f = newKernel();
  const pixel: PixelCode = (from, to) => f32x4.store(get(to), f32x4.load(get(from)));
  if (given.depth !== put.depth) return { f, code: walk(f, placed, { across: given.depth * floatBytes, down: given.line, code: pixel }) };
  const [from, to, rows] = f.parameters as [Local, Local, Local];
  const [lines, line] = f.locals('i32', 2) as [Local, Local];
  const { height, width } = given.shape;
  const code = repeatWhile(get(rows), [
    set(line, i32.add(get(to), i32.constant(put.first))),
    repeat(lines, height, [
      copyMemory(get(line), get(from), i32.constant(width * given.depth * floatBytes)),
      increase(from, given.line),
      increase(line, put.line),
    ]),
    increase(from, given.image - height * given.line),
    increase(to, put.image),
    increase(rows, -1),
  ]);
  return { f, code };
}
