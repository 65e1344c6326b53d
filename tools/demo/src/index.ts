/**
 * Real input for the demo flows, and the tiers that serve them.
 *
 * @example
 * const { flow, schemas } = await loadFlow(demoFlowFile('mail'));
 * const dataset = openDataset({ flow, schemas });
 * const stream = requestStream(flow, dataset, { seed: 1, events: 20_000 });
 * for (const item of withPoison(stream.items(), { flow, schema: schemas[0]!, count: 200, seed: 1, events: 20_000 })) publish(item);
 */
export { calibrate } from './calibrate.ts';
export { openDataset, type Dataset, type DatasetOptions, type Samples } from './dataset.ts';
export { regressionOf } from './drift.ts';
export { idxImages, type IdxImages, type ImageSet } from './idx.ts';
export { mailCorpus, mailLabels, type MailCorpus, type MailMessage } from './mail-corpus.ts';
export type { MailEvent } from './mail-event.ts';
export { photoLabels, writePhotoModels } from './nsfwjs.ts';
export { offlineAnswers, type OfflineAnswers, type OfflineOptions } from './offline.ts';
export { poisonKinds, strayOutcomes, withPoison, type PoisonOptions, type StrayOutcome } from './poison.ts';
export { Random } from './random.ts';
export { requestStream, type RequestStream, type StreamItem, type StreamOptions } from './request-stream.ts';
export { demoTiers, type DemoFlow, type DemoTier } from './tiers.ts';
export { demoFlowFile, shippedModels, recalibrateTiers, trainTiers, type TrainOptions } from './train.ts';
