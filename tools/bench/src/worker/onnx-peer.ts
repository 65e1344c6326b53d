import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { onnxEnds, onnxOf, openRaw, type TestModel } from '@sluice/serving/testing';

/** What is used here of the npm package onnxruntime-node, which is no dependency of ours. */
interface OnnxRuntime {
  readonly InferenceSession: { create(model: Uint8Array, options: { readonly intraOpNumThreads?: number }): Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
}
interface Session {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
  release(): Promise<void>;
}

/** Another runtime with the same network. */
export interface Peer {
  readonly name: string;
  /** Largest difference of an output from the oracle's. */
  readonly apart: number;
  run(rows: Float32Array, n: number): Promise<Float32Array>;
  close(): Promise<void>;
}

const install =
  'mkdir -p DIR && npm install --prefix DIR --ignore-scripts onnxruntime-node   # the CPU library is in the package; its script would download another';
const parity = 1e-5;
const compared = 8;

/** Loads onnxruntime-node from `dir`/node_modules. @throws Error saying how to install it. */
export function loadOnnxRuntime(dir: string): OnnxRuntime & { readonly version: string } {
  const load = createRequire(join(resolve(dir), 'package.json'));
  try {
    const { version } = load('onnxruntime-node/package.json') as { version: string };
    return { ...(load('onnxruntime-node') as OnnxRuntime), version };
  } catch (cause) {
    throw new Error(`There is no onnxruntime-node in ${dir}. Install it with\n  ${install.replaceAll('DIR', dir)}`, { cause });
  }
}

/**
 * The model in ONNX Runtime as it comes (a thread for each core), and with one thread, as our executors have. Both are held against the
 * oracle, TensorFlow.js in plain JavaScript.
 * @throws Error when an output is more than 1e-5 apart.
 */
export async function openOnnxPeers(runtime: OnnxRuntime, model: TestModel): Promise<Peer[]> {
  const bytes = await onnxOf(model);
  const rows = Float32Array.from(Array.from({ length: compared }, (_, i) => [...model.row(i)]).flat());
  const oracle = await openRaw(model, 'cpu');
  const wanted = oracle.run(rows, compared);
  oracle.dispose();
  const peers: Peer[] = [];
  for (const [name, options] of [
    ['onnx', {}],
    ['onnx, 1 thread', { intraOpNumThreads: 1 }],
  ] as const) {
    const session = await runtime.InferenceSession.create(bytes, options);
    const run = async (of: Float32Array, n: number): Promise<Float32Array> => {
      const input = new runtime.Tensor('float32', of, [n, ...model.manifest.input.shape]);
      return (await session.run({ [onnxEnds.input]: input }))[onnxEnds.output]!.data;
    };
    const scores = await run(rows, compared);
    const apart = wanted.reduce((most, score, i) => Math.max(most, Math.abs(score - scores[i]!)), 0);
    if (!(apart <= parity)) throw new Error(`${name} is ${apart} apart from the oracle on ${model.manifest.model}`);
    peers.push({ name, apart, run, close: () => session.release() });
  }
  return peers;
}
