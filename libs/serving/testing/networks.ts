import * as layers from '@tensorflow/tfjs-layers';
import fc from 'fast-check';

export type Layer = layers.layers.Layer;
export type Value = layers.SymbolicTensor;
/** A layer, or several with branches. */
export type Part = Layer | ((from: Value) => Value);

const { layers: make } = layers;

/** Biases, and the moments of a normalisation, that are not the zeros and ones they start as. */
export const someOf = (seed: number, minval = -0.5) =>
  layers.initializers.randomUniform({ minval, maxval: 0.5 + Math.max(0, minval), seed });
export const seeded = (seed: number) => ({
  kernelInitializer: layers.initializers.glorotUniform({ seed }),
  biasInitializer: someOf(seed + 1),
});

export const apply = (from: Value, ...parts: readonly Part[]): Value =>
  parts.reduce((value, part) => (typeof part === 'function' ? part(value) : (part.apply(value) as Value)), from);
const join = (layer: Layer, ...values: Value[]): Value => layer.apply(values) as Value;

/** A model of parts one behind the other; of layers alone also as a list, the way most are written. */
export function modelOf(parts: readonly Part[], shape: number[], functional = false): layers.LayersModel {
  const chain = parts.filter((part): part is Layer => typeof part !== 'function');
  if (!functional && chain.length === parts.length)
    return layers.sequential({ layers: [make.inputLayer({ inputShape: shape }), ...chain] });
  const input = layers.input({ shape });
  return layers.model({ inputs: input, outputs: apply(input, ...parts) });
}

const activation = fc.constantFrom('linear', 'relu', 'relu6', 'sigmoid', 'tanh');
const padding = fc.constantFrom('valid', 'same');
const conv = fc
  .record({
    filters: fc.integer({ min: 1, max: 21 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 2 }),
    padding,
    activation,
    normalised: fc.boolean(),
  })
  .map(({ filters, kernel, stride, padding: around, activation: name, normalised }) => (seed: number): Layer[] => {
    const shape = { filters, kernelSize: kernel, strides: stride, padding: around, ...seeded(seed) } as const;
    if (!normalised) return [make.conv2d({ ...shape, activation: name } as never)];
    return [make.conv2d({ ...shape, useBias: false }), normalisation(seed), make.activation({ activation: name } as never)];
  });
const normalisation = (seed: number): Layer =>
  make.batchNormalization({
    betaInitializer: someOf(seed),
    movingMeanInitializer: someOf(seed + 2),
    movingVarianceInitializer: someOf(seed + 3, 0.5),
    gammaInitializer: someOf(seed + 4, 0.5),
  });
/** Wherever they stand: after a pool, after each other. */
const alone = fc
  .oneof(
    activation.map((name) => (): Layer => make.activation({ activation: name } as never)),
    fc.constant(normalisation),
  )
  .map((layer) => (seed: number): Layer[] => [layer(seed)]);
/** Convolutions side by side, and a pool or what they all read beside them. */
const inception = fc
  .record({
    filters: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    last: fc.option(fc.integer({ min: 1, max: 9 })),
    largest: fc.boolean(),
    activation,
  })
  .map(({ filters, last, largest: most, activation: name }) => (seed: number): Part[] => {
    const conv2d = (count: number, kernelSize: number): Layer =>
      make.conv2d({ filters: count, kernelSize, padding: 'same', activation: name, ...seeded(seed + count) } as never);
    const pooled = (): Layer => (most ? make.maxPooling2d : make.averagePooling2d)({ poolSize: 3, strides: 1, padding: 'same' });
    return [
      (from) =>
        join(
          make.concatenate(),
          ...filters.map((count, i) => apply(from, conv2d(4 * count, 1 + i))),
          last === null ? from : apply(from, pooled(), conv2d(last, 1)),
        ),
    ];
  });
const residual = fc
  .record({ filters: fc.integer({ min: 1, max: 9 }), branches: fc.integer({ min: 1, max: 3 }), sum: fc.boolean(), activation })
  .map(({ filters, branches, sum, activation: name }) => (seed: number): Part[] => {
    const conv2d = (i: number): Layer => make.conv2d({ filters, kernelSize: 3, padding: 'same', ...seeded(seed + i) } as never);
    return [
      conv2d(0),
      (from) => join(sum ? make.add() : make.multiply(), from, ...Array.from({ length: branches }, (_, i) => apply(from, conv2d(i + 1)))),
      normalisation(seed + 9),
      make.activation({ activation: name } as never),
    ];
  });
const padded = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }), conv)
  .map(([top, left, then]) => (seed: number): Layer[] => [
    make.zeroPadding2d({
      padding: [
        [top, 1],
        [left, 0],
      ],
    }),
    ...then(seed),
  ]);
/** A 3 x 3 convolution over whole vectors of channels, which is computed by tiles of four outputs. */
const fast = fc
  .record({ channels: fc.integer({ min: 1, max: 4 }), filters: fc.integer({ min: 1, max: 21 }), padding, around: padding, activation })
  .map(({ channels, filters, padding: first, around, activation: name }) => (seed: number): Layer[] => [
    make.conv2d({ filters: 4 * channels, kernelSize: 2, padding: first, ...seeded(seed) } as never),
    make.conv2d({ filters, kernelSize: 3, padding: around, activation: name, ...seeded(seed + 5) } as never),
  ]);
/** Each channel by itself, alone or before a convolution of single pixels. */
const apart = fc
  .record({
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 2 }),
    padding,
    activation,
    filters: fc.option(fc.integer({ min: 1, max: 9 })),
  })
  .map(({ kernel, stride, padding: around, activation: name, filters }) => (seed: number): Layer[] => {
    const shape = { kernelSize: kernel, strides: stride, padding: around, activation: name, biasInitializer: someOf(seed) };
    const depthwiseInitializer = layers.initializers.glorotUniform({ seed });
    if (filters === null) return [make.depthwiseConv2d({ ...shape, depthwiseInitializer } as never)];
    return [
      make.separableConv2d({
        ...shape,
        filters,
        depthwiseInitializer,
        pointwiseInitializer: layers.initializers.glorotUniform({ seed: seed + 1 }),
      } as never),
    ];
  });
/** Channels weighed by what is in all of the image (squeeze and excitation, Hu et al. 2018). */
const weighed = activation.map((name) => (seed: number): Part[] => [
  (from) => {
    const channels = from.shape.at(-1)!;
    const weights = make.conv2d({ filters: channels, kernelSize: 1, activation: name, ...seeded(seed) } as never);
    const whole = [make.globalAveragePooling2d({ dataFormat: 'channelsLast' }), make.reshape({ targetShape: [1, 1, channels] })];
    return join(make.multiply(), apply(from, ...whole, weights), from);
  },
]);
const pool = fc
  .record({
    size: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 2 }),
    padding,
    around: fc.boolean(),
    mean: fc.boolean(),
  })
  .map(({ size, stride, padding: filled, around, mean }) => (): Layer[] => {
    const shape = { poolSize: size, strides: stride, padding: filled } as const;
    return [...(around ? [make.zeroPadding2d({ padding: 1 })] : []), mean ? make.averagePooling2d(shape) : make.maxPooling2d(shape)];
  });
const neck = fc.constantFrom(
  () => make.flatten(),
  () => make.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
  () => make.globalMaxPooling2d({ dataFormat: 'channelsLast' }),
);
const hidden = fc
  .tuple(fc.integer({ min: 1, max: 70 }), activation)
  .map(([units, name]) => (seed: number): Layer[] => [
    make.dense({ units, activation: name, ...seeded(seed) } as never),
    make.dropout({ rate: 0.5 }),
  ]);
const head = fc
  .integer({ min: 2, max: 13 })
  .map((units) => (seed: number): Layer[] => [make.dense({ units, activation: 'softmax', ...seeded(seed) })]);

const image = fc.record({
  shape: fc.tuple(fc.integer({ min: 9, max: 14 }), fc.integer({ min: 9, max: 14 }), fc.integer({ min: 1, max: 5 })),
  first: fc.oneof(conv, padded, fast, pool, apart, alone, inception, weighed),
  body: fc.array(fc.oneof(conv, pool, apart, alone, inception, residual, weighed), { maxLength: 3 }),
  neck: neck.map((layer) => (): Part[] => [layer()]),
  tail: fc.array(hidden, { maxLength: 1 }),
  head,
});
const vector = fc.record({
  shape: fc.integer({ min: 1, max: 90 }).map((width) => [width]),
  body: fc.array(hidden, { maxLength: 3 }),
  head,
});

export interface RandomNetwork {
  readonly shape: number[];
  /** New layers each time: a layer keeps the shape that it was first given. */
  readonly parts: () => Part[];
}

type MakePart = (seed: number) => readonly Part[];
const network = (shape: number[], parts: readonly MakePart[]): RandomNetwork => ({
  shape,
  parts: () => parts.flatMap((part, i) => part(100 * i + 1)),
});

/** Images through convolutions, pools and branches to a dense layer, or vectors through dense ones. Some of them no model can be: windows outgrow what is left. */
export const randomNetworks: fc.Arbitrary<RandomNetwork> = fc.oneof(
  image.map(({ shape, first, body, neck: flat, tail, head: last }) => network([...shape], [first, ...body, flat, ...tail, last])),
  vector.map(({ shape, body, head: last }) => network(shape, [...body, last])),
);
