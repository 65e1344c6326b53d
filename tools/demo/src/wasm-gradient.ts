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
      return tf.tidy(() => filterGradient(tf, pad === 'same' ? padded(tf, x, filterShape) : x, dy));
    },
  });
}

/** Zeros around the image, as the forward convolution adds them for padding `same`. */
function padded(tf: typeof tfCore, x: tfCore.Tensor4D, [height, width]: readonly [number, number, ...number[]]): tfCore.Tensor4D {
  const edge = (size: number): [number, number] => [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  return tf.pad(x, [[0, 0], edge(height), edge(width), [0, 0]]);
}

function filterGradient(tf: typeof tfCore, x: tfCore.Tensor4D, dy: tfCore.Tensor4D): tfCore.Tensor4D {
  const image: tfCore.Tensor4D = tf.transpose(x, [3, 1, 2, 0]);
  const filter: tfCore.Tensor4D = tf.transpose(dy, [1, 2, 0, 3]);
  return tf.transpose(tf.conv2d(image, filter, 1, 'valid'), [1, 2, 0, 3]);
}
