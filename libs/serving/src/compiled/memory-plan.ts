import { noPadding, paddingOf, vectorFloats, type Network, type Padding, type Shape, type Step } from './network.ts';

const floatBytes = 4;

/** How a volume lies in memory: lines of pixels, a border of zeros around them, each pixel its channels. Bytes, but for the depth. */
export interface Layout {
  readonly shape: Shape;
  /** Floats of a pixel: the channels, filled up to whole vectors in what the code writes itself. */
  readonly depth: number;
  readonly line: number;
  /** One row of the batch. */
  readonly image: number;
  /** Of the first pixel inside the border. */
  readonly first: number;
}

export const wholeVectors = (floats: number): number => Math.ceil(floats / vectorFloats);

/** A step and how what it reads and puts out lies in memory. */
export interface Placed<T = Step> {
  readonly step: T;
  readonly input: Layout;
  readonly output: Layout;
}

/** Every step in its place: what each puts out has the widest border that a step after it looks for. */
export function placeSteps({ input, steps }: Network): Placed[] {
  const given = layoutOf(input, { depth: input.channels, padding: noPadding });
  const placed: Placed[] = [];
  steps.forEach((step, i) => {
    const reads = placed[step.from]?.output ?? given;
    const padding = steps
      .filter(({ from }) => from === i)
      .map(paddingOf)
      .reduce(widest, noPadding);
    const depth = step.kind === 'copy' && !step.whole ? reads.depth : wholeVectors(step.output.channels) * vectorFloats;
    placed.push({ step, input: reads, output: layoutOf(step.output, { depth, padding }) });
  });
  return placed;
}

/** Bytes from the start of an input to the first window of the step that reads it, which may have a narrower border than others. */
export function firstWindow({ step, input }: Placed): number {
  const [top, left] = paddingOf(step);
  return input.first - top * input.line - left * input.depth * floatBytes;
}

const widest = (a: Padding, b: Padding): Padding => [
  Math.max(a[0], b[0]),
  Math.max(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
];

function layoutOf(
  shape: Shape,
  { depth, padding: [top, left, bottom, right] }: { readonly depth: number; readonly padding: Padding },
): Layout {
  const pixel = depth * floatBytes;
  const line = (left + shape.width + right) * pixel;
  return { shape, depth, line, image: (top + shape.height + bottom) * line, first: top * line + left * pixel };
}

/** Hands out addresses one after the other. */
export class Arena {
  #end = 64;

  get end(): number {
    return this.#end;
  }

  take(bytes: number): number {
    const address = this.#end;
    this.#end = Math.ceil((address + bytes) / 64) * 64;
    return address;
  }
}
