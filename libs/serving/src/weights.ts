import type { io } from '@tensorflow/tfjs-core';

/** What model.json holds: topology and the list of weight files, in the layout every TensorFlow.js converter writes. */
export interface ModelFile {
  readonly modelTopology: io.ModelArtifacts['modelTopology'];
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly io.WeightsManifestEntry[] }[];
  readonly format?: string;
  readonly generatedBy?: string;
  readonly convertedBy?: string | null;
  readonly signature?: unknown;
  readonly userDefinedMetadata?: io.ModelArtifacts['userDefinedMetadata'];
  readonly modelInitializer?: unknown;
}

/** One buffer from one buffer or several: TensorFlow.js hands out weights either way. */
export function joinBuffers(data: ArrayBuffer | readonly ArrayBufferLike[]): Uint8Array<ArrayBuffer> {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  const parts = (data as readonly ArrayBufferLike[]).map((part) => new Uint8Array(part));
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Paths of all weight files in the order in which their bytes follow each other. */
export function weightPaths(file: ModelFile): string[] {
  return file.weightsManifest.flatMap((group) => [...group.paths]);
}

/** What `loadLayersModel` and `loadGraphModel` take: topology, weight list and all weights in one buffer. */
export function toArtifacts(file: ModelFile, weightData: ArrayBuffer): io.ModelArtifacts {
  return {
    modelTopology: file.modelTopology as NonNullable<io.ModelArtifacts['modelTopology']>,
    weightSpecs: file.weightsManifest.flatMap((group) => [...group.weights]),
    weightData,
    ...(file.signature === undefined ? {} : { signature: file.signature as object }),
    ...(file.userDefinedMetadata === undefined ? {} : { userDefinedMetadata: file.userDefinedMetadata }),
    ...(file.modelInitializer === undefined ? {} : { modelInitializer: file.modelInitializer as object }),
  };
}
