import type * as tfCore from '@tensorflow/tfjs-core';

interface FilterGradientAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly filterShape: [number, number, number, number];
}

/**
 * Teaches the WASM backend the gradient of a convolution by its filter, a kernel it lacks. The gradient is itself a convolution:
 * with batch and channels exchanged, the input is the image and dy the filter, so the forward kernel does the work
 * (stride 1 only, which is all that the demo tiers use).
 */
export function registerConvolutionGradient(tf: typeof tfCore): void {
  if (tf.getKernel('Conv2DBackpropFilter', 'wasm')) return;
  tf.registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { strides, pad, filterShape } = attrs as unknown as FilterGradientAttributes;
      if (Array.isArray(strides) ? strides.some((stride) => stride !== 1) : strides !== 1) throw new Error('only stride 1 is supported');
      const { x, dy } = inputs as { x: tfCore.Tensor4D; dy: tfCore.Tensor4D };
      return tf.tidy(() => filterGradient(tf, x, dy, { pad, filterShape }));
    },
  });
}

function filterGradient(
  tf: typeof tfCore,
  x: tfCore.Tensor4D,
  dy: tfCore.Tensor4D,
  attributes: Pick<FilterGradientAttributes, 'pad' | 'filterShape'>,
): tfCore.Tensor4D {
  const [height, width] = attributes.filterShape;
  const before = (size: number): number => Math.floor((size - 1) / 2);
  const after = (size: number): number => size - 1 - before(size);
  const edges: [number, number][] =
    attributes.pad === 'same'
      ? [[0, 0], [before(height), after(height)], [before(width), after(width)], [0, 0]]
      : [[0, 0], [0, 0], [0, 0], [0, 0]];
  // A kernel function gets plain tensor records, so wrap them before using functional operations on them.
  const image = tf.transpose(tf.pad(x, edges), [3, 1, 2, 0]) as tfCore.Tensor4D;
  const filter = tf.transpose(dy, [1, 2, 0, 3]) as tfCore.Tensor4D;
  return tf.transpose(tf.conv2d(image, filter, 1, 'valid'), [1, 2, 0, 3]) as tfCore.Tensor4D;
}
