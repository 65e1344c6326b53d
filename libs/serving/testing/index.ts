/**
 * Tiny seeded models for tests and benchmarks: untrained, but of the shapes that matter.
 *
 * @example
 * const model = await makeModel('mlp', dir);
 * const server = await openServer({ dir, schemas: [model.schema] });
 * const answers = await server.infer([model.value(model.row(1))]);
 */
export { kinds, makeModel, type Kind, type TestModel } from './models.ts';
export { openRaw, type RawPredict } from './raw.ts';
export { copyModel } from './versions.ts';
