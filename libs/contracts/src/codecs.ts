import type { CatalogEntry, DeadLetter, Example, Health, Outcome, PolicySnapshot, Prediction, ShadowAnswer, Tag } from '@sluice/domain';
import { defineCodec } from './codec.ts';
import { healthSchemaV1, healthSchemaV2, predictionSchemaV1, predictionSchemaV2, tagSchemaV1, tagSchemaV2 } from './schemas/earlier.ts';
import {
  exampleSchema,
  exampleSchemaV1,
  exampleSchemaV2,
  exampleSchemaV3,
  outcomeSchema,
  policySchema,
  policySchemaV1,
  policySchemaV2,
  policySchemaV3,
  policySchemaV4,
  policySchemaV5,
} from './schemas/feedback.ts';
import { catalogEntrySchema, deadLetterSchema, healthSchema } from './schemas/operations.ts';
import { predictionSchema, shadowAnswerSchema } from './schemas/prediction.ts';
import { tagSchema } from './schemas/tag.ts';

/** Every schema Sluice owns. A changed schema puts its former version into `earlier` and a golden file beside the others. */
export const codecs = {
  Tag: defineCodec<Tag>({ schema: tagSchema, earlier: [tagSchemaV1, tagSchemaV2], invalid: 'SLUICE_TAG_INVALID' }),
  Prediction: defineCodec<Prediction>({ schema: predictionSchema, earlier: [predictionSchemaV1, predictionSchemaV2] }),
  ShadowAnswer: defineCodec<ShadowAnswer>({ schema: shadowAnswerSchema }),
  Outcome: defineCodec<Outcome>({ schema: outcomeSchema }),
  Example: defineCodec<Example>({ schema: exampleSchema, earlier: [exampleSchemaV1, exampleSchemaV2, exampleSchemaV3] }),
  PolicySnapshot: defineCodec<PolicySnapshot>({
    schema: policySchema,
    earlier: [policySchemaV1, policySchemaV2, policySchemaV3, policySchemaV4, policySchemaV5],
  }),
  Health: defineCodec<Health>({ schema: healthSchema, earlier: [healthSchemaV1, healthSchemaV2] }),
  CatalogEntry: defineCodec<CatalogEntry>({ schema: catalogEntrySchema }),
  DeadLetter: defineCodec<DeadLetter>({ schema: deadLetterSchema }),
};

export const { encode: encodeTag, decode: decodeTag } = codecs.Tag;
export const { encode: encodePrediction, decode: decodePrediction } = codecs.Prediction;
export const { encode: encodeShadowAnswer, decode: decodeShadowAnswer } = codecs.ShadowAnswer;
export const { encode: encodeOutcome, decode: decodeOutcome } = codecs.Outcome;
export const { encode: encodeExample, decode: decodeExample } = codecs.Example;
export const { encode: encodePolicy, decode: decodePolicy } = codecs.PolicySnapshot;
export const { encode: encodeHealth, decode: decodeHealth } = codecs.Health;
export const { encode: encodeCatalogEntry, decode: decodeCatalogEntry } = codecs.CatalogEntry;
export const { encode: encodeDeadLetter, decode: decodeDeadLetter } = codecs.DeadLetter;
