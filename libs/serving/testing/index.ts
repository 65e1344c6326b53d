/**
 * Tiny seeded models for tests and benchmarks: untrained, but of the shapes that matter.
 *
 * @example
 * const model = await makeModel('mlp', dir);
 * const server = await openServer({ dir, schemas: [model.schema] });
 * const answers = await server.infer([model.value(model.row(1))]);
 */
export { kinds, makeModel, type Kind, type TestModel } from './models.ts';
export { onnxEnds, onnxOf } from './onnx.ts';
export { poison } from './poison.ts';
export { openAlone, openRaw, type RawPredict } from './raw.ts';
export { copyModel, poisonedModel } from './versions.ts';

/** The file of an inference thread whose model misbehaves on rows that begin with a `poison` number. */
export const faultyThread = new URL('./faulty-thread.ts', import.meta.url);

/** The file of an inference thread that misbehaves on every row of a version whose manifest says `training: { fault }`. */
export const faultyVersionThread = new URL('./faulty-version.ts', import.meta.url);
