import { f32x4, FunctionBuilder, get, i32, increase, repeatWhile, set, type Code, type Local } from './assembler.ts';
import type { Kernel, Placed } from './convolution-kernel.ts';
import { wholeVectors } from './memory-plan.ts';
import type { Pool } from './network.ts';
import { floatBytes, vectorBytes } from './tile.ts';

/** Largest or mean number of each window, four channels at a time. */
export function poolKernel(placed: Placed<Pool>): Kernel {
  const { step, input: given, output: put } = placed;
  const f = new FunctionBuilder(['i32', 'i32', 'i32']);
  const [input, output, rows] = f.parameters as [Local, Local, Local];
  const [line, outLine, lines, from, to, columns, channels] = f.locals('i32', 7) as [Local, Local, Local, Local, Local, Local, Local];
  const vectors = wholeVectors(given.shape.channels);
  const pooled = poolWindow(f, { placed, from, to });
  const times = (counter: Local, count: number, body: Code): Code => [
    set(counter, i32.constant(count)),
    repeatWhile(get(counter), [body, increase(counter, -1)]),
  ];
  const column: Code = [
    times(channels, vectors, [pooled, increase(from, vectorBytes), increase(to, vectorBytes)]),
    increase(from, step.strides[1] * given.depth * floatBytes - vectors * vectorBytes),
  ];
  const code = repeatWhile(get(rows), [
    set(line, get(input)),
    set(outLine, i32.add(get(output), i32.constant(put.first))),
    times(lines, put.shape.height, [
      set(from, get(line)),
      set(to, get(outLine)),
      times(columns, put.shape.width, column),
      increase(line, step.strides[0] * given.line),
      increase(outLine, put.line),
    ]),
    increase(input, given.image),
    increase(output, put.image),
    increase(rows, -1),
  ]);
  return { f, code };
}

interface PoolEnds {
  readonly placed: Placed<Pool>;
  readonly from: Local;
  readonly to: Local;
}

/** One window and four channels: line by line, so that a pool over a whole image is no longer than one over two pixels. */
function poolWindow(f: FunctionBuilder, { placed: { step, input }, from, to }: PoolEnds): Code {
  const [height, width] = step.size;
  const [at, lines] = [f.local('i32'), f.local('i32')];
  const value = f.local('v128');
  const next = (x: number): Code => f32x4.load(get(at), x * input.depth * floatBytes);
  const combine = step.kind === 'max' ? f32x4.max : f32x4.add;
  const across = Array.from({ length: width }, (_, x) => set(value, combine(get(value), next(x))));
  return [
    set(at, get(from)),
    set(value, step.kind === 'max' ? next(0) : f32x4.constant(0)),
    set(lines, i32.constant(height)),
    repeatWhile(get(lines), [across, increase(at, input.line), increase(lines, -1)]),
    f32x4.store(get(to), step.kind === 'max' ? get(value) : f32x4.multiply(get(value), f32x4.constant(1 / (height * width)))),
  ];
}
