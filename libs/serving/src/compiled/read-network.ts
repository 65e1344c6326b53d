import type { Manifest } from '@sluice/domain';
import type { io } from '@tensorflow/tfjs-core';
import { readGraph, type Reading } from './read-graph.ts';
import { readLayer } from './layer-readers.ts';
import { noPadding, type Network, type Shape, type Step } from './network.ts';
import { NetworkBuilder, type Value } from './network-builder.ts';
import { readWeights } from './read-weights.ts';
import { layersOf } from './topology.ts';
import { Uncompilable } from './uncompilable.ts';

/**
 * Reads a model as steps.
 * @throws Uncompilable naming the first layer, or node of a graph, that there is no code for.
 */
export function readNetwork(manifest: Pick<Manifest, 'format' | 'input' | 'labels'>, artifacts: io.ModelArtifacts): Network {
  const { shape } = manifest.input;
  const rows: Value = { from: -1, shape: inputShape(shape), padding: noPadding, shared: false, flat: shape.length === 1 };
  const builder = new NetworkBuilder();
  const weights = readWeights(artifacts);
  const read = manifest.format === 'graph' ? readGraph : readLayers;
  checkEnd(builder.steps, read({ artifacts, weights, builder, rows }), manifest.labels.length);
  return { input: rows.shape, steps: builder.steps };
}

/** @returns what the last layer puts out. */
function readLayers({ artifacts, weights, builder, rows }: Reading): Value {
  const outputs = new Map<string, Value>();
  let last = rows;
  for (const layer of layersOf(artifacts.modelTopology)) {
    const [value = rows, ...others] = layer.inputs.map((name) => valueOf(name, outputs));
    const output = readLayer({ layer, values: [value, ...others], weights, builder });
    last = { ...output, shared: output.shared || layer.readers > 1 };
    outputs.set(layer.name, last);
  }
  return last;
}

function valueOf(name: string, values: ReadonlyMap<string, Value>): Value {
  const value = values.get(name);
  if (!value) throw new Uncompilable(`${name} is listed behind a layer that reads it`);
  return value;
}

function checkEnd(steps: readonly Step[], { from, shape, padding }: Value, labels: number): void {
  if (steps.slice(0, -1).some((step) => 'activation' in step && step.activation === 'softmax'))
    throw new Uncompilable('a softmax comes before the end');
  const ends = from === steps.length - 1 && from >= 0 && padding === noPadding;
  if (!ends || shape.height * shape.width !== 1 || shape.channels !== labels)
    throw new Uncompilable(`the last layer does not put out one number for each of ${labels} labels`);
}

function inputShape(shape: readonly number[]): Shape {
  if (shape.length === 1) return { height: 1, width: 1, channels: shape[0]! };
  if (shape.length === 3) return { height: shape[0]!, width: shape[1]!, channels: shape[2]! };
  throw new Uncompilable(`the input has ${shape.length} axes`);
}
