import type { io } from '@tensorflow/tfjs-core';
import { readerOf, type GraphNode } from './node-readers.ts';
import type { NetworkBuilder, Value } from './network-builder.ts';
import type { Weight, WeightsByName } from './read-weights.ts';
import { Uncompilable } from './uncompilable.ts';

/** A model, and what is to be built of it behind its rows. */
export interface Reading {
  readonly artifacts: io.ModelArtifacts;
  readonly weights: WeightsByName;
  readonly builder: NetworkBuilder;
  readonly rows: Value;
}

/** @returns what the one output of the graph is. @throws Uncompilable when it has several inputs or outputs. */
export function readGraph({ artifacts, ...reading }: Reading): Value {
  const nodes = (artifacts.modelTopology as { readonly node?: readonly GraphNode[] } | undefined)?.node;
  if (!nodes) throw new Uncompilable('the topology lists no nodes');
  return new GraphReader(nodes, reading).value(outputOf(nodes, artifacts.signature));
}

/** Names of nodes that a node reads, without those that it only waits for. */
const inputsOf = ({ input = [] }: GraphNode): string[] => input.filter((name) => !name.startsWith('^')).map((name) => nodeOf(name));

/** `name:0` is the first output of a node, and all that most have. */
function nodeOf(name: string): string {
  const [node, output = '0'] = name.split(':') as [string, string?];
  if (output !== '0') throw new Uncompilable(`output ${output} of ${node} is read`);
  return node;
}

function outputOf(nodes: readonly GraphNode[], signature: unknown): string {
  const stated = Object.values((signature as { outputs?: Record<string, { name?: string }> } | undefined)?.outputs ?? {});
  const read = new Set(nodes.flatMap(inputsOf));
  const unread = nodes.filter(({ name, op }) => op !== 'Const' && !read.has(name));
  const ends = stated.length > 0 ? stated.map(({ name }) => nodeOf(name ?? '')) : unread.map(({ name }) => name);
  if (ends.length !== 1) throw new Uncompilable(`the graph has ${ends.length} outputs`);
  return ends[0]!;
}

/** Reads nodes from the output back: what leads nowhere is no part of the network. */
class GraphReader {
  readonly #nodes: ReadonlyMap<string, GraphNode>;
  readonly #reading: Omit<Reading, 'artifacts'>;
  readonly #values = new Map<string, Value>();
  readonly #readers = new Map<string, number>();
  #rows: string | undefined;

  constructor(nodes: readonly GraphNode[], reading: Omit<Reading, 'artifacts'>) {
    this.#nodes = new Map(nodes.map((node) => [node.name, node]));
    this.#reading = reading;
    for (const name of nodes.flatMap(inputsOf)) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
  }

  value(name: string): Value {
    const known = this.#values.get(name);
    if (known) return known;
    const node = this.#nodes.get(name);
    if (!node) throw new Uncompilable(`${name} is no node of the graph`);
    const output = node.op === 'Placeholder' ? this.#input(name) : this.#compute(node);
    const value = { ...output, shared: output.shared || (this.#readers.get(name) ?? 0) > 1 };
    this.#values.set(name, value);
    return value;
  }

  #input(name: string): Value {
    if (this.#rows !== undefined) throw new Uncompilable(`the graph has the inputs ${this.#rows} and ${name}`);
    this.#rows = name;
    return this.#reading.rows;
  }

  #compute(node: GraphNode): Value {
    const { builder, weights } = this.#reading;
    // Before its inputs: loops are made of nodes that there is no code for.
    const read = readerOf(node);
    const inputs = inputsOf(node).map((name) => weights.get(this.#constant(name)) ?? this.#shape(name) ?? this.value(name));
    return read({ node, inputs, builder });
  }

  /** A shape that is put together of a batch's size and constants. */
  #shape(name: string): Weight | undefined {
    const node = this.#nodes.get(name);
    if (node?.op !== 'Pack') return undefined;
    const [, ...sizes] = inputsOf(node).map((size) => this.#reading.weights.get(this.#constant(size))?.values[0]);
    if (sizes.some((size) => size === undefined)) return undefined;
    return { shape: [sizes.length + 1], values: Float32Array.of(-1, ...(sizes as number[])) };
  }

  /** The name of a constant may stand behind nodes that hand it on. */
  #constant(name: string): string {
    const node = this.#nodes.get(name);
    return node?.op === 'Identity' ? this.#constant(inputsOf(node)[0]!) : name;
  }
}
