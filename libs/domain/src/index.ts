/**
 * The nouns of Sluice: flow, tier, manifest, tag, prediction, example, policy, error. No I/O, no clock, no client.
 *
 * @example
 * const flow = parseFlow(parse(await readFile('infra/flows/mail.yaml', 'utf8')));
 * flow.tiers.map((tier) => tier.name); // ['fast', 'standard', 'heavy']
 */
export type { Brand, EpochMs, EventId, Millis, PolicyVersion } from './brand.ts';
export type { CatalogEntry, Measured } from './catalog.ts';
export { ManualClock, type Clock } from './clock.ts';
export { costDimensions, costIn, costShares, type CostDimension } from './cost.ts';
export { drilledLabel, type WrongAnswers } from './drill.ts';
export { errorTable, type ErrorClass, type ErrorCode } from './error-table.ts';
export { describeError, SluiceError, toSluiceError } from './errors.ts';
export { delayText, fallbacksOf, retries } from './fallback.ts';
export { featureSpec, type FeatureSpec } from './feature.ts';
export { flowJsonSchema } from './flow-json-schema.ts';
export { faults, flowSchema, parseFlow, segment, type FallbackWay, type Flow, type RuleSpec, type TierSpec } from './flow.ts';
export { keyedUniform, murmur3 } from './hash.ts';
export { noSegment, otherSegment, type SegmentPolicy } from './segment.ts';
export { defineMachine, drawMachine, type Machine, type Transitions } from './machine.ts';
export { manifestSchema, parseManifest, type Envelope, type Manifest } from './manifest.ts';
export {
  exampleParts,
  stepKinds,
  type Answer,
  type DeadLetter,
  type Example,
  type ExamplePart,
  type Head,
  type Health,
  type Outcome,
  type BudgetLeft,
  type CertifiedLoss,
  type Panel,
  type PolicySnapshot,
  type Prediction,
  type ShadowAnswer,
  type Slip,
  type SlipTier,
  type Source,
  type SparseRow,
  type Step,
  type StepKind,
  type Tag,
} from './tag.ts';
