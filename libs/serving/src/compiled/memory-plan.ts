import { vectorFloats, type Network, type Padding, type Shape, type Step } from './network.ts';

/** How a volume lies in memory: lines of pixels, a border of zeros around them, each pixel its channels. Bytes. */
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

const none: Padding = [0, 0, 0, 0];

/** As the caller hands rows over: no border, nothing filled up. */
export function givenLayout(shape: Shape): Layout {
  return layoutOf(shape, { depth: shape.channels, padding: none });
}

function layoutOf(
  shape: Shape,
  { depth, padding: [top, left, bottom, right] }: { readonly depth: number; readonly padding: Padding },
): Layout {
  const pixel = depth * 4;
  const line = (left + shape.width + right) * pixel;
  return { shape, depth, line, image: (top + shape.height + bottom) * line, first: top * line + left * pixel };
}

/** What a step puts out, with the border that the step after it looks for. */
export function outputLayout(shape: Shape, next: Step | undefined): Layout {
  return layoutOf(shape, { depth: wholeVectors(shape.channels) * vectorFloats, padding: paddingOf(next) });
}

/** The network's own input, where its first step wants a border around it; undefined where rows can be read as they come. */
export function borderedInput({ input, steps }: Network): Layout | undefined {
  const padding = paddingOf(steps[0]);
  return padding.some((lines) => lines > 0) ? layoutOf(input, { depth: input.channels, padding }) : undefined;
}

const paddingOf = (step: Step | undefined): Padding => (step?.kind === 'convolution' ? step.padding : none);

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
