import type { Manifest } from '@sluice/domain';
import * as tf from '@tensorflow/tfjs-core';
import type { TensorName } from './backend.ts';
import type { Executor } from './executor.ts';

/** A loaded model of either format, as one function. */
export interface TensorModel {
  call(input: tf.Tensor): tf.Tensor | readonly tf.Tensor[] | tf.NamedTensorMap;
  dispose(): void;
}

/**
 * Loads a model onto the current backend.
 * @throws whatever TensorFlow.js throws on a broken topology.
 */
export async function loadTensorModel(format: Manifest['format'], artifacts: tf.io.ModelArtifacts): Promise<TensorModel> {
  const handler: tf.io.IOHandler = { load: () => Promise.resolve(artifacts) };
  if (format === 'graph') {
    const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
    const model = await loadGraphModel(handler);
    return { call: (input) => model.execute(input), dispose: () => model.dispose() };
  }
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  const model = await loadLayersModel(handler);
  // `predict` splits into chunks of 32 and checks much; `apply` runs the same layers once over the whole batch.
  return { call: (input) => model.apply(input) as tf.Tensor | tf.Tensor[], dispose: () => void model.dispose() };
}

/**
 * The model's output for n rows, on the backend in use; between, tensors are left to `tidy`.
 * @throws Error when it is not one number per label and row.
 */
export function predict(
  model: TensorModel,
  { input: { shape }, labels }: Pick<Manifest, 'input' | 'labels'>,
  { rows, n }: { readonly rows: Float32Array; readonly n: number },
): tf.Tensor {
  const output = onlyTensor(model.call(tf.tensor(rows, [n, ...shape], 'float32')));
  if (output.shape.length !== 2 || output.shape[0] !== n || output.shape[1] !== labels.length) {
    throw new Error(`the output has shape [${output.shape.join(', ')}], expected [${n}, ${labels.length}]`);
  }
  return output;
}

/** Runs a model through TensorFlow.js on the backend it was loaded on, leaving no tensor behind. */
export class TensorExecutor implements Executor {
  readonly name: TensorName;
  readonly bytes: number;
  readonly #model: TensorModel;
  readonly #manifest: Manifest;
  readonly #width: number;

  constructor(options: { name: TensorName; model: TensorModel; bytes: number; manifest: Manifest }) {
    this.name = options.name;
    this.bytes = options.bytes;
    this.#model = options.model;
    this.#manifest = options.manifest;
    this.#width = options.manifest.input.shape.reduce((product, size) => product * size, 1);
  }

  get tensors(): number {
    return tf.memory().numTensors;
  }

  run(rows: Float32Array, n: number): Float32Array {
    let scores: Float32Array | undefined;
    tf.tidy(() => {
      scores = predict(this.#model, this.#manifest, { rows: rows.subarray(0, n * this.#width), n }).dataSync<'float32'>();
      // Not returned: `tidy` would look for tensors in it, number by number, and take longer than a small model.
    });
    return scores!;
  }

  dispose(): void {
    this.#model.dispose();
  }
}

function onlyTensor(output: ReturnType<TensorModel['call']>): tf.Tensor {
  if (output instanceof tf.Tensor) return output;
  const tensors = Object.values(output) as tf.Tensor[];
  if (tensors.length !== 1 || !tensors[0]) throw new Error(`the model has ${tensors.length} outputs, expected one`);
  return tensors[0];
}
