import type { Manifest } from '@sluice/domain';
import type { io } from '@tensorflow/tfjs-core';
import { joinBuffers } from './weights.ts';

export type Activation = 'linear' | 'relu' | 'sigmoid' | 'tanh' | 'softmax';

/** A dense layer: `output = activation(input * kernel + bias)`, kernel row-major [inputs, units]. */
export interface Dense {
  readonly inputs: number;
  readonly units: number;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  activation: Activation;
}

interface LayerConfig {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

const known: readonly string[] = ['linear', 'relu', 'sigmoid', 'tanh', 'softmax'];

/**
 * Reads a sequential layers model as a stack of dense layers.
 * @returns undefined when the model has any layer that is not dense, flatten, dropout (nothing at inference) or an activation.
 */
export function readDenseStack(manifest: Manifest, artifacts: io.ModelArtifacts): Dense[] | undefined {
  const layers = manifest.format === 'layers' ? sequentialLayers(artifacts.modelTopology) : undefined;
  const weights = readWeights(artifacts);
  if (!layers || !weights) return undefined;
  const stack: Dense[] = [];
  // Flat as soon as the width is the only dimension: a dense layer over images would act on their last axis only.
  let flat = manifest.input.shape.length === 1;
  for (const layer of layers) {
    if (layer.class_name === 'Flatten') flat = true;
    else if (layer.class_name === 'Dense' && flat) {
      const dense = readDense(layer, weights);
      if (!dense) return undefined;
      stack.push(dense);
    } else if (layer.class_name === 'Activation') {
      const last = stack.at(-1);
      const activation = layer.config['activation'];
      if (!last || last.activation !== 'linear' || !isActivation(activation)) return undefined;
      last.activation = activation;
    } else if (layer.class_name !== 'InputLayer' && layer.class_name !== 'Dropout') return undefined;
  }
  return fits(stack, manifest) ? stack : undefined;
}

function sequentialLayers(topology: unknown): readonly LayerConfig[] | undefined {
  const root = topology as { model_config?: unknown } | undefined;
  const model = (root?.model_config ?? root) as
    { class_name?: string; config?: readonly LayerConfig[] | { layers?: readonly LayerConfig[] } } | undefined;
  if (model?.class_name !== 'Sequential' || !model.config) return undefined;
  return Array.isArray(model.config)
    ? (model.config as readonly LayerConfig[])
    : (model.config as { layers?: readonly LayerConfig[] }).layers;
}

/** Float32 weights by name; undefined when any is quantised or of another type. */
function readWeights({ weightSpecs, weightData }: io.ModelArtifacts): Map<string, Float32Array> | undefined {
  if (!weightSpecs || !weightData) return undefined;
  const bytes = joinBuffers(weightData);
  const weights = new Map<string, Float32Array>();
  let at = 0;
  for (const spec of weightSpecs) {
    if (spec.dtype !== 'float32' || spec.quantization) return undefined;
    const end = at + spec.shape.reduce((product, size) => product * size, 4);
    weights.set(spec.name, new Float32Array(bytes.slice(at, end).buffer));
    at = end;
  }
  return weights;
}

function readDense({ config }: LayerConfig, weights: ReadonlyMap<string, Float32Array>): Dense | undefined {
  const units = config['units'] as number;
  const activation = config['activation'];
  const kernel = weights.get(`${String(config['name'])}/kernel`);
  const bias = config['use_bias'] === false ? new Float32Array(units) : weights.get(`${String(config['name'])}/bias`);
  if (!kernel || !bias || !isActivation(activation)) return undefined;
  return { inputs: kernel.length / units, units, kernel, bias, activation };
}

function isActivation(value: unknown): value is Activation {
  return typeof value === 'string' && known.includes(value);
}

function fits(stack: readonly Dense[], manifest: Manifest): boolean {
  let width = manifest.input.shape.reduce((product, size) => product * size, 1);
  for (const dense of stack) {
    if (dense.inputs !== width || dense.bias.length !== dense.units) return false;
    width = dense.units;
  }
  return stack.length > 0 && width === manifest.labels.length;
}
