/** The inference worker as a part: wired by its own process, or by one that runs the whole system. */
export { startInference, type Inference, type InferenceOptions, type Worker } from './app.ts';
export type { VersionChange } from './follow-catalog.ts';
export { WorkerProcessor, type WorkerParts } from './processor.ts';
export { inferenceTopology } from './topology.ts';
export { observeInference } from './metrics.ts';
