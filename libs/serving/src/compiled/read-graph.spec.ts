import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { base64, constantAttributes, dims } from '../../testing/graph.ts';
import { disagreement } from '../calibrate.ts';
import { compileModel } from './compiled-executor.ts';
import { readNetwork } from './read-network.ts';
import { Uncompilable } from './uncompilable.ts';

type Attributes = Readonly<Record<string, object>>;
type Constant = readonly [shape: readonly number[], values: readonly number[], dtype?: 'int32'];

const text = (value: string): { s: string } => ({ s: base64(value) });
const ints = (...numbers: number[]) => ({ list: { i: numbers.map(String) } });
const some = (count: number, from = -0.5) => Array.from({ length: count }, (_, i) => from + ((i * 37) % 101) / 101);

/** A graph by hand: nodes as [name, operation, inputs, attributes], and constants by name. */
function graphOf(
  nodes: readonly (readonly [string, string, readonly string[], Attributes?])[],
  constants: Readonly<Record<string, Constant>>,
) {
  const weights = Object.entries(constants).map(([name, [shape, values, dtype = 'float32' as const]]) => ({ name, shape, values, dtype }));
  const stated = weights.map(({ name, shape, dtype }) => ({ name, op: 'Const', attr: constantAttributes(shape, dtype) }));
  const node = [
    ...stated,
    ...nodes.map(([name, op, input, attr = {}]) => ({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } })),
  ];
  const bytes = weights.map(({ values, dtype }) => Buffer.from((dtype === 'int32' ? Int32Array : Float32Array).from(values).buffer));
  return {
    modelTopology: { node, library: {}, versions: { producer: 1205 } },
    weightSpecs: weights.map(({ name, shape, dtype }) => ({ name, shape: [...shape], dtype })),
    weightData: new Uint8Array(Buffer.concat(bytes)).buffer,
  };
}

const rows = (...shape: number[]) =>
  ['rows', 'Placeholder', [], { dtype: { type: 'DT_FLOAT' }, shape: { shape: dims([-1, ...shape]) } }] as const;
const window = { strides: ints(1, 2, 1, 1), dilations: ints(1, 1, 1, 1), data_format: text('NHWC') };
const manifestOf = (shape: readonly number[], labels: number) =>
  ({ format: 'graph', input: { shape, features: [] }, labels: Array.from({ length: labels }, String) }) as never;

describe('a graph', () => {
  beforeAll(async () => {
    tf.enableProdMode();
    await tf.setBackend('cpu');
  });

  it('is read with what converters write: scales in several forms, borders line by line, matrices the other way round, axes that stay', async () => {
    const artifacts = graphOf(
      [
        rows(7, 6, 4),
        ['minus', 'Sub', ['rows', 'half']],
        ['by', 'RealDiv', ['minus', 'spans']],
        ['times', 'Mul', ['two', 'by']],
        [
          'padded',
          'Conv2D',
          ['times', 'kernel'],
          { ...window, padding: text('EXPLICIT'), explicit_paddings: ints(0, 0, 2, 1, 0, 1, 0, 0) },
        ],
        [
          'normal',
          'FusedBatchNormV3',
          ['padded', 'gamma', 'beta', 'mean', 'variance'],
          { epsilon: { f: 0.01 }, is_training: { b: false } },
        ],
        ['half bent', 'Relu6', ['normal']],
        ['weighed', 'Mul', ['whole bent', 'half bent']],
        ['whole bent', 'Mean', ['half bent', 'axes'], { keep_dims: { b: true } }],
        ['bent', 'MaxPool', ['weighed'], { ...window, ksize: ints(1, 3, 2, 1), padding: text('SAME') }],
        ['again', 'Identity', ['shift']],
        ['moved', 'AddV2', ['again', 'bent']],
        ['whole', 'Mean', ['moved', 'axes'], { keep_dims: { b: true } }],
        ['head', 'Conv2D', ['whole', 'narrow'], { ...window, padding: text('VALID') }],
        ['one', 'Squeeze', ['head'], { squeeze_dims: ints(1, 2) }],
        ['product', 'MatMul', ['one', 'turned'], { transpose_a: { b: false }, transpose_b: { b: true } }],
        ['chances', 'Softmax', ['product']],
        ['Identity', 'Identity', ['chances:0', '^bent']],
      ],
      {
        ...{
          half: [[1], [0.5]],
          spans: [
            [1, 1, 1, 4],
            [2, 3, 4, 5],
          ],
          two: [[], [2]],
          kernel: [[3, 2, 4, 5], some(120)],
        },
        ...{ gamma: [[5], some(5, 0.5)], beta: [[5], some(5)], mean: [[5], some(5)], variance: [[5], some(5, 0.5)] },
        ...{ shift: [[5], some(5)], axes: [[2], [-3, 2], 'int32'], narrow: [[1, 1, 5, 5], some(25)], turned: [[3, 5], some(15)] },
      },
    );
    const input = Float32Array.from({ length: 4 * 7 * 6 * 4 }, (_, i) => Math.sin(i * 12.9898));
    const model = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
    const expected = (model.execute(tf.tensor(input, [4, 7, 6, 4])) as tf.Tensor).dataSync<'float32'>();
    const compiled = compileModel({ manifest: manifestOf([7, 6, 4], 3), artifacts });
    expect(disagreement(compiled.run(input, 4), expected, 3)).toBeUndefined();
  });

  const dense = (name: string, from: string) => [name, 'MatMul', [from, 'weights']] as const;
  const weights: Readonly<Record<string, Constant>> = { weights: [[3, 3], some(9)], many: [[2, 3], some(6)] };

  it.each<[string, string, Parameters<typeof graphOf>[0]]>([
    ['an operation that there is no code for', 'odd is a Einsum', [rows(3), ['odd', 'Einsum', ['rows']]]],
    [
      'a loop',
      'again is a NextIteration',
      [rows(3), ['again', 'NextIteration', ['sum']], ['sum', 'AddV2', ['rows', 'again']], dense('end', 'sum')],
    ],
    ['several outputs', 'the graph has 2 outputs', [rows(3), dense('a', 'rows'), dense('b', 'rows')]],
    [
      'several inputs',
      'the graph has the inputs rows and others',
      [rows(3), ['others', 'Placeholder', []], ['both', 'AddV2', ['rows', 'others']]],
    ],
    ['another output of a node', 'output 1 of a is read', [rows(3), dense('a', 'rows'), ['end', 'Relu', ['a:1']]]],
    ['a node that is not there', 'ghost is no node of the graph', [rows(3), ['end', 'AddV2', ['rows', 'ghost']]]],
    ['weights that are computed', 'end computes its weights', [rows(3), dense('a', 'rows'), ['end', 'MatMul', ['a', 'a']]]],
    ['a number for each pixel', 'end has a number for each pixel', [rows(2, 2, 3), ['end', 'Mul', ['rows', 'many']]]],
    ['a shape of its own', 'end reshapes to 3 x 1', [rows(3), dense('a', 'rows'), ['end', 'Reshape', ['a', 'sizes']]]],
  ])('is not read with %s, named in the reason', (_, reason, nodes) => {
    const artifacts = graphOf(nodes, { ...weights, sizes: [[3], [-1, 3, 1], 'int32'] });
    expect(() => readNetwork(manifestOf([3], 3), artifacts)).toThrow(new Uncompilable(reason));
  });
});
