/**
 * What travels on Sluice's topics: names, headers, Avro schemas and codecs, and readers of the producers' own records.
 *
 * @example
 * const bytes = encodeOutcome({ id: 'a1', label: 'spam', at: 1_700_000_000_000, origin: 'truth' });
 * decodeOutcome(bytes).label; // 'spam'
 */
export { compileExtractor, type ExtractFlags, type Extractor } from './extractor.ts';
export { type FieldKind, type FieldLeaf } from './field-path.ts';
export { canonicalForm, fingerprint, fingerprintText, type AvroObject, type AvroSchema } from './fingerprint.ts';
export {
  codecs,
  decodeCatalogEntry,
  decodeDeadLetter,
  decodeExample,
  decodeHealth,
  decodeOutcome,
  decodePolicy,
  decodePrediction,
  decodeShadowAnswer,
  decodeTag,
  encodeCatalogEntry,
  encodeDeadLetter,
  encodeExample,
  encodeHealth,
  encodeOutcome,
  encodePolicy,
  encodePrediction,
  encodeShadowAnswer,
  encodeTag,
} from './codecs.ts';
export { deadLetter, readDeadLetter, type DeadLetterOut, type RefusedRecord } from './dead-letter.ts';
export { singleObjectHeader } from './codec.ts';
export { encodeSingleObject, RequestSchemas, type Framed } from './framing.ts';
export { checkCompatible } from './compatibility.ts';
export { header, headerBytes, headerText, readRequestHeaders, sourceText, type RequestHeaders, type WireHeaders } from './headers.ts';
export { readPolicies } from './policy-records.ts';
export { compileProjection, slotKind, type Projection } from './projection.ts';
export { decodeSparse, encodeSparse, SparseScratch } from './sparse.ts';
export { topicSpecs, type TopicDeclaration } from './topic-specs.ts';
export {
  catalogTopic,
  flagsTopic,
  healthTopic,
  parseTopic,
  policyTopic,
  topicKinds,
  topicsOf,
  type FlowTopics,
  type ParsedTopic,
  type TopicKind,
} from './topics.ts';
