import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { translateModel } from '../src/frozen/freeze.ts';
import type { Attribute, Graph, NodeSpec } from '../src/frozen/graph.ts';

interface JsonNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<Record<string, object>>;
}

/** A layers model in TensorFlow.js's graph format, as its converter writes it; `fused` with biases and activations taken into the nodes before. */
export function graphArtifacts(model: LayersModel, shape: readonly number[], { fused = false } = {}): io.ModelArtifacts {
  const graph = new JsonGraph();
  const { output } = translateModel(model, shape, graph);
  const node = fused ? fuse(graph.nodes) : graph.nodes;
  const signature = { outputs: { scores: { name: `${output}:0` } } };
  const modelTopology = { node, library: {}, versions: { producer: 1205 } };
  return { format: 'graph-model', modelTopology, signature, weightSpecs: graph.weightSpecs, weightData: graph.weightData };
}

class JsonGraph implements Graph {
  readonly nodes: JsonNode[] = [];
  readonly weightSpecs: io.WeightsManifestEntry[] = [];
  readonly #weights: Uint8Array[] = [];

  get weightData(): ArrayBuffer {
    return new Uint8Array(Buffer.concat(this.#weights)).buffer;
  }

  placeholder(shape: readonly number[]): string {
    return this.#add('Placeholder', { dtype: { type: 'DT_FLOAT' }, shape: { shape: dims([-1, ...shape]) } });
  }

  node({ op, inputs, attributes = {} }: NodeSpec): string {
    return this.#add(op, Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, jsonOf(value)])), inputs);
  }

  float(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.node({ op, inputs, attributes: { T: { type: 'float' }, ...attributes } });
  }

  constant(values: Float32Array | Int32Array, shape: readonly number[]): string {
    const dtype = values instanceof Float32Array ? 'float32' : 'int32';
    const name = this.#add('Const', constantAttributes(shape, dtype));
    this.weightSpecs.push({ name, shape: [...shape], dtype });
    this.#weights.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return name;
  }

  #add(op: string, attr: JsonNode['attr'], input?: readonly string[]): string {
    const name = `n${this.nodes.length}`;
    this.nodes.push({ name, op, attr, ...(input ? { input } : {}) });
    return name;
  }
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const dims = (shape: readonly number[]) => ({ dim: shape.map((size) => ({ size: String(size) })) });

export function constantAttributes(shape: readonly number[], kept: 'float32' | 'int32') {
  const dtype = kept === 'float32' ? 'DT_FLOAT' : 'DT_INT32';
  return { dtype: { type: dtype }, value: { tensor: { dtype, tensorShape: dims(shape) } } };
}

function jsonOf(value: Attribute): object {
  if ('type' in value) return { type: value.type === 'float' ? 'DT_FLOAT' : 'DT_INT32' };
  if ('text' in value) return { s: base64(value.text) };
  if ('flag' in value) return { b: value.flag };
  if ('int' in value) return { i: String(value.int) };
  return { list: { i: value.ints.map(String) } };
}

const fusedOps: Readonly<Record<string, string>> = {
  Conv2D: '_FusedConv2D',
  DepthwiseConv2dNative: 'FusedDepthwiseConv2dNative',
  MatMul: '_FusedMatMul',
};

/** And nothing more yet. */
const readsBias = ({ attr }: JsonNode): boolean => (attr['fused_ops'] as { list: { s: readonly string[] } }).list.s.length === 1;

/** As TensorFlow's optimizer does before a model is converted: what only one node reads is computed there. */
function fuse(nodes: readonly JsonNode[]): JsonNode[] {
  const readers = (name: string): number => nodes.filter(({ input = [] }) => input.includes(name)).length;
  const done = new Map<string, JsonNode>();
  for (const node of nodes) {
    const before = done.get(node.input?.[0] ?? '');
    const alone = before !== undefined && readers(before.name) === 1;
    const fused = before && Object.values(fusedOps).includes(before.op) && readsBias(before);
    if (alone && node.op === 'BiasAdd' && before.op in fusedOps) {
      done.delete(before.name);
      const attr = { ...before.attr, fused_ops: { list: { s: [base64('BiasAdd')] } }, num_args: { i: '1' }, epsilon: { f: 1e-4 } };
      done.set(node.name, { name: node.name, op: fusedOps[before.op]!, input: [...before.input!, node.input![1]!], attr });
    } else if (alone && fused && ['Relu', 'Relu6', 'Sigmoid'].includes(node.op)) {
      done.delete(before.name);
      done.set(node.name, {
        ...before,
        name: node.name,
        attr: { ...before.attr, fused_ops: { list: { s: [base64('BiasAdd'), base64(node.op)] } } },
      });
    } else done.set(node.name, node);
  }
  return [...done.values()];
}
