import { Uncompilable } from './uncompilable.ts';

/** A layer as model.json describes it. */
export interface Layer {
  readonly name: string;
  /** Its class. */
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The layers it reads; none: the rows. */
  readonly inputs: readonly string[];
  /** How many layers read it. */
  readonly readers: number;
}

interface LayerConfig {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** For each use of the layer, for each input: [name of the layer it comes from, ...]. */
  readonly inbound_nodes?: readonly (readonly (readonly unknown[])[])[];
}

interface ModelConfig {
  readonly class_name?: string;
  readonly config?: readonly LayerConfig[] | { readonly layers?: readonly LayerConfig[] };
}

/**
 * The layers of a sequential or functional model, each behind those that it reads, the one that answers last.
 * @throws Uncompilable when there are several inputs or ends, or a layer is used more than once.
 */
export function layersOf(topology: unknown): readonly Layer[] {
  const root = topology as { model_config?: unknown } | undefined;
  const model = (root?.model_config ?? root) as ModelConfig | undefined;
  const config = model?.config;
  const layers = Array.isArray(config)
    ? (config as readonly LayerConfig[])
    : (config as { layers?: readonly LayerConfig[] } | undefined)?.layers;
  if (!layers) throw new Uncompilable('the topology lists no layers');
  const sequential = model?.class_name === 'Sequential';
  const inputs = layers.map((layer, i) => (sequential ? (i > 0 ? [nameOf(layers[i - 1]!)] : []) : inboundOf(layer)));
  if (!sequential && inputs.filter((names) => names.length === 0).length !== 1) throw new Uncompilable('the model has several inputs');
  const readers = new Map<string, number>();
  for (const name of inputs.flat()) readers.set(name, (readers.get(name) ?? 0) + 1);
  const ends = layers.filter((layer) => !readers.has(nameOf(layer)));
  if (ends.length !== 1 || ends[0] !== layers.at(-1)) throw new Uncompilable('the model does not end with one layer');
  return layers.map((layer, i) => {
    const name = nameOf(layer);
    return { name, kind: layer.class_name, config: layer.config, inputs: inputs[i]!, readers: readers.get(name) ?? 0 };
  });
}

const nameOf = ({ config }: LayerConfig): string => String(config['name']);

function inboundOf(layer: LayerConfig): string[] {
  const nodes = layer.inbound_nodes ?? [];
  if (nodes.length > 1) throw new Uncompilable(`${nameOf(layer)} is used ${nodes.length} times`);
  return (nodes[0] ?? []).map((input) => String(input[0]));
}
