import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { graphArtifacts } from '../../testing/graph.ts';
import { artifactsOf } from '../../testing/models.ts';
import { apply, modelOf, randomNetworks, seeded, someOf, type Part, type Value } from '../../testing/networks.ts';
import { disagreement, largest } from '../calibrate.ts';
import { compileModel } from './compiled-executor.ts';

const { layers: make } = layers;

const compiledAndOracle = (parts: readonly Part[], input: number[], n: number, functional = false) =>
  withOracle(modelOf(parts, input, functional), input, n);

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

const conv4 = () => make.conv2d({ filters: 4, kernelSize: 3 });

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

  it('answers as the oracle does, whatever its layers and branches, however many rows there are and whatever was asked beside and before them', async () => {
    const format = fc.record({ functional: fc.boolean(), graph: fc.constantFrom(undefined, 'plain' as const, 'fused' as const) });
    await fc.assert(
      fc.asyncProperty(randomNetworks, fc.integer({ min: 1, max: 70 }), format, async ({ shape, parts }, n, { functional, graph }) => {
        const made = await Promise.resolve()
          .then(() => compiledAndOracle(parts(), shape, n, functional))
          .catch(notAModel);
        const { rows, oracle, labels } = made;
        const compiled = await (graph ? made.compiledGraph(graph) : made.compiled()).catch(notAModel);
        const scores = compiled.run(rows, n);
        expect(scores).toHaveLength(oracle.length);
        scores.forEach((score, i) => expect(Math.abs(score - oracle[i]!)).toBeLessThanOrEqual(1e-5));
        expect(largest(scores, 0, labels)).toBe(largest(oracle, 0, labels));
        const isBad = (row: number): boolean => row % 3 === 1;
        const some = rows.map((number, i) => (isBad(Math.floor((i * n) / rows.length)) ? Number.NaN : number));
        const good = (all: Float32Array): Float32Array => all.filter((_, i) => !isBad(Math.floor(i / labels)));
        expect(good(compiled.run(some, n))).toEqual(good(scores));
        for (const bad of [Infinity, NaN])
          compiled.run(
            rows.map(() => bad),
            n,
          );
        expect(compiled.run(rows, n)).toEqual(scores);
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

  it('keeps a row apart from those beside it and before it, where its pixels are no whole vectors', async () => {
    const stack = [
      make.averagePooling2d({ poolSize: 1, strides: 1 }),
      make.conv2d({ filters: 3, kernelSize: 2, ...seeded(1) }),
      make.flatten(),
      make.dense({ units: 2, activation: 'softmax', ...seeded(3) }),
    ];
    const { compiled: open, rows, oracle } = await compiledAndOracle(stack, [3, 2, 3], 2);
    const compiled = await open();
    const beside = compiled.run(
      rows.map((number, i) => (i < rows.length / 2 ? number : Number.NaN)),
      2,
    );
    expect(disagreement(beside.subarray(0, 2), oracle.subarray(0, 2), 2)).toBeUndefined();
    expect([...beside.subarray(2)]).toEqual([Number.NaN, Number.NaN]);
    compiled.run(
      rows.map(() => Number.NaN),
      2,
    );
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
