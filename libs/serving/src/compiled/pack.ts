import { panelsOf, windowOf } from './convolution-kernel.ts';
import type { Placed } from './memory-plan.ts';
import { vectorFloats, type Convolution, type Mean } from './network.ts';
import { isWinograd, transformKernel } from './winograd-kernel.ts';

export interface Constants {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** What a step reads beside its input; undefined: nothing. */
export function constantsOf(placed: Placed): Constants | undefined {
  if ('kernel' in placed.step) return pack(placed as Placed<Convolution>);
  return placed.step.kind === 'mean' ? { weights: (placed as Placed<Mean>).step.shares, bias: new Float32Array(0) } : undefined;
}

/** Weights and bias of a convolution in the order in which the code reads them: panel by panel, of a fast one place by place before that. */
function pack(placed: Placed<Convolution>): Constants {
  const bias = new Float32Array(placed.output.depth);
  bias.set(placed.step.bias);
  const { kind } = placed.step;
  return { weights: kind === 'depthwise' ? packChannels(placed) : isWinograd(placed) ? packMatrices(placed) : packWindows(placed), bias };
}

/** Pixel by pixel of the kernel, the channels filled up to whole vectors. */
function packChannels({ step, output }: Placed<Convolution>): Float32Array {
  const { channels } = step.input;
  const pixels = step.size[0] * step.size[1];
  const packed = new Float32Array(pixels * output.depth);
  for (let pixel = 0; pixel < pixels; pixel++)
    packed.set(step.kernel.subarray(pixel * channels, (pixel + 1) * channels), pixel * output.depth);
  return packed;
}

function packWindows(placed: Placed<Convolution>): Float32Array {
  const { lines, length } = windowOf(placed);
  const { step, output } = placed;
  const pixels = step.size[0] * step.size[1];
  return packPanels(step.kernel, { rows: pixels, channels: step.input.channels, depth: (lines * length) / pixels }, { step, output });
}

function packMatrices(placed: Placed<Convolution>): Float32Array {
  const { step, output } = placed;
  const { channels } = step.input;
  const matrices = transformKernel(placed);
  const size = channels * step.output.channels;
  const packed = new Float32Array((matrices.length / size) * channels * output.depth);
  for (let place = 0; place * size < matrices.length; place++) {
    const matrix = matrices.subarray(place * size, (place + 1) * size);
    packed.set(packPanels(matrix, { rows: 1, channels, depth: channels }, placed), place * channels * output.depth);
  }
  return packed;
}

interface PackedRows {
  /** Pixels of the kernel, channels of each, and as how many they are read. */
  readonly rows: number;
  readonly channels: number;
  readonly depth: number;
}

/** Reorders a matrix [pixels, channels, filters] panel by panel; what only fills up vectors weighs nothing. */
function packPanels(
  kernel: Float32Array,
  { rows, channels, depth }: PackedRows,
  { step, output }: Pick<Placed<Convolution>, 'step' | 'output'>,
): Float32Array {
  const filters = step.output.channels;
  const packed = new Float32Array(output.depth * rows * depth);
  let to = 0;
  for (const { vectors, count, from } of panelsOf(output)) {
    const wide = vectors * vectorFloats;
    for (let first = from; first < from + count * wide; first += wide)
      for (let row = 0; row < rows; row++)
        for (let channel = 0; channel < depth; channel++, to += wide)
          if (channel < channels)
            for (let i = 0; i < wide && first + i < filters; i++)
              packed[to + i] = kernel[(row * channels + channel) * filters + first + i]!;
  }
  return packed;
}
