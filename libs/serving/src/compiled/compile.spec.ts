import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { graphArtifacts } from '../../testing/graph.ts';
import { artifactsOf } from '../../testing/models.ts';
import { disagreement, largest } from '../calibrate.ts';
import { compileModel } from './compiled-executor.ts';

type Layer = layers.layers.Layer;
type Value = layers.SymbolicTensor;
/** A layer, or several with branches. */
type Part = Layer | ((from: Value) => Value);

const { layers: make } = layers;

/** Biases, and the moments of a normalisation, that are not the zeros and ones they start as. */
const someOf = (seed: number, minval = -0.5) => layers.initializers.randomUniform({ minval, maxval: 0.5 + Math.max(0, minval), seed });
const seeded = (seed: number) => ({ kernelInitializer: layers.initializers.glorotUniform({ seed }), biasInitializer: someOf(seed + 1) });

const apply = (from: Value, ...parts: readonly Part[]): Value =>
  parts.reduce((value, part) => (typeof part === 'function' ? part(value) : (part.apply(value) as Value)), from);
const join = (layer: Layer, ...values: Value[]): Value => layer.apply(values) as Value;

async function compiledAndOracle(stack: readonly Part[], input: number[], n: number, functional = false) {
  const whole = layers.input({ shape: input });
  const chain = stack.filter((part): part is Layer => typeof part !== 'function');
  const model =
    functional || chain.length < stack.length
      ? layers.model({ inputs: whole, outputs: apply(whole, ...stack) })
      : layers.sequential({ layers: [layers.layers.inputLayer({ inputShape: input }), ...chain] });
  return withOracle(model, input, n);
}

/** What the model answers to n rows on the oracle, and the means to compile it. */
async function withOracle(model: layers.LayersModel, input: number[], n: number) {
  const width = input.reduce((product, size) => product * size, 1);
  const rows = Float32Array.from({ length: n * width }, (_, i) => Math.sin(i * 12.9898) * 1.5);
  const oracle = tf.tidy(() => (model.apply(tf.tensor(rows, [n, ...input])) as tf.Tensor).dataSync<'float32'>());
  const labels = Array.from({ length: oracle.length / n }, (_, i) => `label ${i}`);
  const manifest = { format: 'layers', input: { shape: input, features: [] }, labels } as const;
  const graphs = { plain: graphArtifacts(model, input), fused: graphArtifacts(model, input, { fused: true }) };
  const artifacts = await artifactsOf(model);
  const compiled = () => Promise.resolve().then(() => compileModel({ manifest, artifacts } as never));
  const compiledGraph = async (kind: keyof typeof graphs) =>
    compileModel({ manifest: { ...manifest, format: 'graph' }, artifacts: graphs[kind] } as never);
  return { compiled, compiledGraph, rows, oracle, labels: labels.length, manifest, artifacts };
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

const conv4 = (): Layer => make.conv2d({ filters: 4, kernelSize: 3 });

/** Windows that do not fit their input any more are no models, though TensorFlow.js lets some of them pass and averages nothing. */
function notAModel(thrown: unknown): never {
  fc.pre(!/shape|size|dimension|Invalid|negative|larger than its input|zeros and a border/i.test(String(thrown)));
  throw thrown;
}

describe('a compiled model', () => {
  beforeAll(async () => {
    tf.enableProdMode();
    await tf.setBackend('cpu');
  });

  it('answers as the oracle does, whatever its layers and branches, and however many rows there are', async () => {
    const image = fc.record({
      shape: fc.tuple(fc.integer({ min: 9, max: 14 }), fc.integer({ min: 9, max: 14 }), fc.integer({ min: 1, max: 5 })),
      first: fc.oneof(conv, padded, fast, pool, apart, alone, inception, weighed),
      body: fc.array(fc.oneof(conv, pool, apart, alone, inception, residual, weighed), { maxLength: 2 }),
      neck: neck.map((layer) => (): Part[] => [layer()]),
      tail: fc.array(hidden, { maxLength: 1 }),
      head,
    });
    const vector = fc.record({
      shape: fc.integer({ min: 1, max: 90 }).map((width) => [width]),
      body: fc.array(hidden, { maxLength: 3 }),
      head,
    });
    const nets = fc.oneof(
      image.map(({ shape, first, body, neck: flat, tail, head: last }) => ({
        shape: [...shape],
        parts: [first, ...body, flat, ...tail, last],
      })),
      vector.map(({ shape, body, head: last }) => ({ shape, parts: [...body, last] })),
    );
    const format = fc.record({ functional: fc.boolean(), graph: fc.constantFrom(undefined, 'plain' as const, 'fused' as const) });
    await fc.assert(
      fc.asyncProperty(nets, fc.integer({ min: 1, max: 70 }), format, async ({ shape, parts }, n, { functional, graph }) => {
        const stack = parts.flatMap((part, i) => part(100 * i + 1));
        const made = await compiledAndOracle(stack, shape, n, functional).catch(notAModel);
        const { rows, oracle, labels } = made;
        const compiled = graph ? made.compiledGraph(graph) : made.compiled();
        const scores = await compiled.catch(notAModel).then((executor) => executor.run(rows, n));
        expect(scores).toHaveLength(oracle.length);
        scores.forEach((score, i) => expect(Math.abs(score - oracle[i]!)).toBeLessThanOrEqual(1e-5));
        expect(largest(scores, 0, labels)).toBe(largest(oracle, 0, labels));
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it.each([
    ['relu', 3],
    ['linear', 2],
  ] as const)('adds layers that branch and meet again, whatever borders those that read them want (%s, seed %d)', async (name, seed) => {
    const input = layers.input({ shape: [9, 8, 3] });
    const first = apply(input, make.conv2d({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu', ...seeded(seed) } as never));
    const inner = apply(
      first,
      make.conv2d({ filters: 12, kernelSize: 1, useBias: false, ...seeded(seed + 2) } as never),
      make.batchNormalization({ movingMeanInitializer: someOf(seed + 3), movingVarianceInitializer: someOf(seed + 4, 0.5) }),
      make.reLU({ maxValue: 6 }),
      make.depthwiseConv2d({
        kernelSize: 3,
        padding: 'same',
        depthwiseInitializer: layers.initializers.glorotUniform({ seed: seed + 5 }),
      } as never),
      make.conv2d({ filters: 6, kernelSize: 1, ...seeded(seed + 6) } as never),
    );
    const sum = apply(make.add().apply([first, inner]) as Value, make.activation({ activation: name }));
    const again = apply(sum, make.conv2d({ filters: 6, kernelSize: 3, padding: 'same', ...seeded(seed + 8) } as never));
    const total = make.add().apply([again, sum]) as Value;
    const output = apply(
      total,
      make.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      make.dense({ units: 4, activation: 'softmax', ...seeded(seed + 9) } as never),
    );
    const { compiled, rows, oracle } = await withOracle(layers.model({ inputs: input, outputs: output }), [9, 8, 3], 5);
    expect(disagreement((await compiled()).run(rows, 5), oracle, 4)).toBeUndefined();
  });

  it.each(['uint8', 'uint16'] as const)('scales weights that are kept as %s as TensorFlow.js does', async (dtype) => {
    const { manifest, artifacts, rows } = await compiledAndOracle(
      [make.dense({ units: 3, activation: 'softmax', name: 'only', ...seeded(1) })],
      [7],
      4,
    );
    const levels = Array.from({ length: 24 }, (_, i) => (i * 37) % 251);
    const weightSpecs = artifacts.weightSpecs!.map((spec, i) => ({ ...spec, quantization: { dtype, scale: 0.01 + i / 300, min: -1.2 } }));
    const kept = {
      ...artifacts,
      weightSpecs,
      weightData: [(dtype === 'uint8' ? Uint8Array.from(levels) : Uint16Array.from(levels)).buffer],
    };
    const model = await layers.loadLayersModel({ load: () => Promise.resolve(kept) });
    const expected = (model.apply(tf.tensor(rows, [4, 7])) as tf.Tensor).dataSync<'float32'>();
    expect(disagreement(compileModel({ manifest, artifacts: kept } as never).run(rows, 4), expected, 3)).toBeUndefined();
  });

  it('reads rows where they were put, and needs no more memory for as many again', async () => {
    const stack = [
      make.dense({ units: 5, activation: 'relu', ...seeded(1) }),
      make.dense({ units: 3, activation: 'softmax', ...seeded(2) }),
    ];
    const { compiled: open, rows, oracle } = await compiledAndOracle(stack, [7], 9);
    const compiled = await open();
    const room = compiled.rows(9);
    for (let round = 0; round < 3; round++) {
      room.set(rows);
      expect(disagreement(compiled.run(room, 9), oracle, 3)).toBeUndefined();
    }
    // A copy is as good.
    expect(disagreement(compiled.run(rows, 9), oracle, 3)).toBeUndefined();
    expect(compiled.rows(9).buffer).toBe(room.buffer);
  });

  it('answers no rows with nothing', async () => {
    const { compiled, rows } = await compiledAndOracle(
      [conv4(), make.flatten(), make.dense({ units: 2, activation: 'softmax' })],
      [6, 6, 3],
      1,
    );
    expect((await compiled()).run(rows, 0)).toHaveLength(0);
  });

  it('shares its code with another version of the same layers, and nothing else', async () => {
    const version = (seed: number) =>
      compiledAndOracle(
        [
          make.dense({ units: 5, activation: 'relu', ...seeded(seed) }),
          make.dense({ units: 3, activation: 'softmax', ...seeded(seed + 2) }),
        ],
        [7],
        9,
      );
    const [one, other] = [await version(1), await version(11)];
    const [first, second] = [await one.compiled(), await other.compiled()];
    for (let round = 0; round < 2; round++) {
      expect(disagreement(first.run(one.rows, 9), one.oracle, 3)).toBeUndefined();
      expect(disagreement(second.run(other.rows, 9), other.oracle, 3)).toBeUndefined();
    }
    expect(disagreement(one.oracle, other.oracle, 3)).toBeDefined();
  });

  it('forgets what another batch left behind', async () => {
    const stack = [
      make.averagePooling2d({ poolSize: 1, strides: 1 }),
      make.conv2d({ filters: 3, kernelSize: 2, ...seeded(1) }),
      make.flatten(),
      make.dense({ units: 2, activation: 'softmax', ...seeded(3) }),
    ];
    const { compiled: open, rows, oracle } = await compiledAndOracle(stack, [3, 2, 3], 2);
    const compiled = await open();
    expect(
      compiled.run(
        rows.map(() => Number.NaN),
        2,
      ),
    ).toContainEqual(Number.NaN);
    expect(disagreement(compiled.run(rows, 2), oracle, 2)).toBeUndefined();
  });

  it.each([
    ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
    ['tanh', Math.tanh],
  ] as const)('has %s to 2e-7 for numbers of any size', async (activation, exact) => {
    const stack = [make.dense({ units: 4, activation, kernelInitializer: 'identity' })];
    const compiled = await (await compiledAndOracle(stack, [4], 1)).compiled();
    const near = Array.from({ length: 4000 }, (_, i) => (i - 2000) / 50);
    const numbers = Float32Array.from([...near, 0, -0, 87.3, -87.3, 88.8, -88.8, 1e-30, 3e38, -3e38, 1e4, -1e4, 20]);
    const outputs = compiled.run(numbers, numbers.length / 4);
    numbers.forEach((x, i) => expect(Math.abs(outputs[i]! - exact(x))).toBeLessThanOrEqual(2e-7));
    expect([...compiled.run(Float32Array.of(Number.NaN, 0, 0, 0), 1)]).toContainEqual(Number.NaN);
  });

  it('keeps a number that is none, and infinities that another layer bounds', async () => {
    const bounded = make.dense({ units: 2, activation: 'relu6', kernelInitializer: 'ones' } as never);
    const stack = [
      make.dense({ units: 1, activation: 'relu', kernelInitializer: 'ones' }),
      bounded,
      make.dense({ units: 2, activation: 'softmax', ...seeded(1) }),
    ];
    const compiled = await (await compiledAndOracle(stack, [2], 1)).compiled();
    const finite = compiled.run(Float32Array.of(3e38, 3e38), 1);
    expect(finite[0]! + finite[1]!).toBeCloseTo(1, 6);
    expect([...compiled.run(Float32Array.of(Number.NaN, 1), 1)]).toEqual([Number.NaN, Number.NaN]);
  });
});
