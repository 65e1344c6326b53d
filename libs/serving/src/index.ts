/**
 * TensorFlow.js inference as a production worker: model folders, executors chosen by measurement, inference threads,
 * dynamic batches. The module that imports this never loads TensorFlow.js; only the threads do.
 *
 * @example
 * const server = await openServer({ dir: 'models/mail/fast', schemas: [emailSchema], tier: 'fast' });
 * console.log(server.backend.name, server.backend.why);
 * const [answer] = await server.infer([{ value: record.value, schema: 0, start: 10 }]);
 * if (answer instanceof SluiceError) deadLetter(answer); else console.log(server.manifest.labels[answer.label]);
 */
export { openServer, type BackendFacts, type ModelServer, type ServerOptions } from './server.ts';
export { ModelPool, type PoolOptions } from './model-pool.ts';
export { ResponseCache } from './response-cache.ts';
export type { LeftVersion, ServedModel } from './served-model.ts';
export type { InferValue, Urgency } from './row-queue.ts';
export type { BatchFit } from './batch-cost.ts';
export type { BackendChoice } from './open-executor.ts';
export type { ThreadStats } from './protocol.ts';
export { inputExtractor, inputWidth, loadModel, type ModelFolder } from './model-folder.ts';
export { writeModelFolder, type NewModelFolder } from './write-model.ts';
export { CalibrationStore, type CalibrationStoreOptions } from './calibration-store.ts';
export { keptCalibration, type KeptCalibration } from './open-lanes.ts';
export { stateDir } from './state-dir.ts';
