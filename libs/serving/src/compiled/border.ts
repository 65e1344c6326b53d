import { f32, f32x4, get, i32, increase, repeat, repeatWhile, set, type Code, type FunctionBuilder, type Local } from './assembler.ts';
import type { Placed } from './memory-plan.ts';
import { vectorFloats } from './network.ts';
import { floatBytes, vectorBytes } from './tile.ts';

/** Writes what is around the output of each row, before what is in it: the memory was another step's. */
export function writeBorder(f: FunctionBuilder, { step, output: { shape, depth, image, line, first } }: Placed): Code {
  const [, output, rows] = f.parameters as [Local, Local, Local];
  const inside = shape.width * depth * floatBytes;
  if (image === shape.height * inside) return [];
  const [to, end, left, lines] = f.locals('i32', 4) as [Local, Local, Local, Local];
  const whole = depth % vectorFloats === 0;
  const number = step.kind === 'copy' ? step.border : 0;
  const store = whole ? f32x4.store(get(to), f32x4.constant(number)) : f32.store(get(to), f32.constant(number));
  const write = (bytes: number): Code =>
    bytes > 0
      ? [
          set(end, i32.add(get(to), i32.constant(bytes))),
          repeatWhile(i32.less(get(to), get(end)), [store, increase(to, whole ? vectorBytes : floatBytes)]),
        ]
      : [];
  // The end of a line and the start of the next lie side by side.
  const between = [increase(to, inside), write(line - inside)];
  return [
    set(to, get(output)),
    set(left, get(rows)),
    repeatWhile(get(left), [
      write(first),
      shape.height > 1 ? repeat(lines, shape.height - 1, between) : [],
      increase(to, inside),
      write(image - first - (shape.height - 1) * line - inside),
      increase(left, -1),
    ]),
  ];
}
