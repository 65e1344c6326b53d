import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Manifest } from '@sluice/domain';
import { GraphBuilder, type Graph } from './graph.ts';
import { translations, Untranslatable, type LayerParts } from './layers.ts';

type Layer = LayersModel['layers'][number];

/**
 * A layers model as a frozen SavedModel: all weights are constants, so that TensorFlow runs a batch in one call instead of one for
 * each operation, and may fold what stands side by side.
 * @returns the bytes of saved_model.pb.
 * @throws Untranslatable naming the first layer that has no translation here.
 */
export function freeze(model: LayersModel, manifest: Pick<Manifest, 'input' | 'labels'>): Uint8Array {
  const graph = new GraphBuilder();
  const { shape } = manifest.input;
  return graph.savedModel({ ...translateModel(model, shape, graph), shape, labels: manifest.labels.length });
}

/** Adds the model's operations. @returns the nodes where the batch goes in and comes out. */
export function translateModel(model: LayersModel, shape: readonly number[], graph: Graph): { input: string; output: string } {
  const input = graph.placeholder(shape);
  const nodes = new Map<string, string>();
  let output = input;
  for (const layer of model.layers) {
    const { inboundLayers } = onlyNode(layer);
    const inputs = inboundLayers.map(({ name }) => nodes.get(name) ?? input);
    output = translate(layer, { graph, inputs: inputs.length > 0 ? inputs : [input] });
    nodes.set(layer.name, output);
  }
  const last = model.outputs[0] as unknown as { readonly sourceLayer: { readonly name: string } };
  return { input, output: nodes.get(last.sourceLayer.name) ?? output };
}

function translate(layer: Layer, { graph, inputs }: Pick<LayerParts, 'graph' | 'inputs'>): string {
  const name = layer.getClassName();
  const translation = translations[name];
  if (!translation) throw new Untranslatable(`${layer.name} is a ${name}`);
  const { inputShapes, outputShapes } = onlyNode(layer);
  const held = layer.getWeights();
  const weights = layer.weights.map(({ originalName }, i) => ({
    name: originalName,
    shape: held[i]!.shape,
    values: held[i]!.dataSync<'float32'>(),
  }));
  return translation({
    ...{ graph, inputs, weights },
    config: layer.getConfig(),
    inputShape: sizes(inputShapes[0]),
    outputShape: sizes(outputShapes[0]),
  });
}

interface InboundNode {
  readonly inboundLayers: readonly { readonly name: string }[];
  readonly inputShapes: readonly unknown[];
  readonly outputShapes: readonly unknown[];
}

/** Where the layer stands. A layer that is used twice would need two sets of nodes. */
function onlyNode(layer: Layer): InboundNode {
  const nodes = layer.inboundNodes as unknown as readonly InboundNode[];
  if (nodes.length !== 1) throw new Untranslatable(`${layer.name} is used ${nodes.length} times`);
  return nodes[0]!;
}

/** Without the batch dimension. */
function sizes(shape: unknown): number[] {
  return (shape as readonly number[]).slice(1);
}
