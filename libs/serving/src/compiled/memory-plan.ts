import { noPadding, paddingOf, sourcesOf, vectorFloats, type Network, type Padding, type Shape, type Step } from './network.ts';

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

/** Bytes that one row takes, and where what each step but the last puts out begins among them. */
export interface SharedMemory {
  readonly bytes: number;
  readonly offsets: readonly number[];
}

/** Puts outputs where there is room in the order of the steps: what no step reads any more makes room. */
export function shareMemory(placed: readonly Placed[]): SharedMemory {
  const lastReader = placed.map((_, i) => placed.findLastIndex(({ step }) => sourcesOf(step).includes(i)));
  const taken: { readonly start: number; readonly end: number; readonly until: number }[] = [];
  const offsets = placed.slice(0, -1).map(({ output }, i) => {
    const bytes = aligned(output.image);
    let start = 0;
    for (const other of taken.filter(({ until }) => until >= i).sort((a, b) => a.start - b.start)) {
      if (start + bytes <= other.start) break;
      start = other.end;
    }
    taken.push({ start, end: start + bytes, until: lastReader[i]! });
    return start;
  });
  return { bytes: Math.max(0, ...taken.map(({ end }) => end)), offsets };
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
    this.#end = aligned(address + bytes);
    return address;
  }
}

/** To the next line of the cache. */
const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;
