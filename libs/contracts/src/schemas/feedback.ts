import { exampleParts } from '@sluice/domain';
import { answer, audit, floatVector, opaqueBytes, source, sparseRow } from './parts.ts';

export const outcomeSchema = {
  type: 'record',
  name: 'Outcome',
  namespace: 'sluice',
  doc: 'Ground truth or the report of a user: <flow>.outcomes, key = id.',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'label', type: 'string' },
    { name: 'at', type: 'long', doc: 'Event time in milliseconds since 1970.' },
    { name: 'origin', type: { type: 'enum', name: 'OutcomeOrigin', symbols: ['truth', 'report'] } },
  ],
} as const;

const exampleFields = [
  { name: 'id', type: 'string' },
  { name: 'part', type: { type: 'enum', name: 'ExamplePart', symbols: exampleParts } },
  { name: 'policyVersion', type: 'long' },
  { name: 'at', type: 'long' },
  { name: 'tier', type: 'string' },
  { name: 'harm', type: 'double' },
  { name: 'cost', type: 'double' },
  { name: 'heavyOnly', type: 'boolean' },
  { name: 'audit', type: audit },
  { name: 'truth', type: ['null', 'int'], doc: 'Label index of the outcome; null unless part is truth.' },
  { name: 'signature', type: sparseRow },
  { name: 'answers', type: { type: 'array', items: answer } },
] as const;

const exampleRecord = {
  type: 'record',
  name: 'Example',
  namespace: 'sluice',
  doc: 'One piece of feedback, applied by the learner in log order: <flow>.examples.',
} as const;

/** As written before answers were fused: still read. */
export const exampleSchemaV1 = { ...exampleRecord, fields: exampleFields } as const;

const servingFields = [
  ...exampleFields,
  { name: 'served', type: ['null', 'int'], default: null, doc: "Label index that was served; null: the serving tier's." },
] as const;

/** As written before flows had segments: still read. */
export const exampleSchemaV2 = { ...exampleRecord, fields: servingFields } as const;

const segmentFields = [
  ...servingFields,
  { name: 'segment', type: 'string', default: '', doc: 'Segment of the flow; empty where it names none.' },
] as const;

/** As written before examples named their request: still read. */
export const exampleSchemaV3 = { ...exampleRecord, fields: segmentFields } as const;

export const exampleSchema = {
  ...exampleRecord,
  fields: [...segmentFields, { name: 'source', type: ['null', source], default: null, doc: 'The request; null: nobody was served.' }],
} as const;

const head = {
  type: 'record',
  name: 'Head',
  fields: [
    { name: 'tier', type: 'string' },
    { name: 'stage', type: { type: 'enum', name: 'HeadStage', symbols: ['route', 'stop'] } },
    { name: 'weights', type: floatVector },
  ],
} as const;

const policyFields = [
  { name: 'flow', type: 'string' },
  { name: 'version', type: 'long' },
  { name: 'examplesOffset', type: 'long', doc: 'Offset in <flow>.examples after the last example folded.' },
  { name: 'threshold', type: 'double' },
  { name: 'heavyOnly', type: 'boolean' },
  { name: 'reason', type: 'string' },
  { name: 'auditRate', type: 'double' },
  { name: 'heads', type: { type: 'array', items: head } },
  { name: 'learner', type: opaqueBytes, doc: 'State of the learner, opaque to everyone else.' },
] as const;

const policyRecord = {
  type: 'record',
  name: 'PolicySnapshot',
  namespace: 'sluice',
  doc: 'What the learner published last: sluice.policy, key = flow.',
} as const;

/** As published before certificates were: still read. */
export const policySchemaV1 = { ...policyRecord, fields: policyFields } as const;

const certificate = {
  type: 'record',
  name: 'Certificate',
  doc: 'Anytime-valid interval of the loss since control began or the latest alarm.',
  fields: [
    { name: 'events', type: 'long', doc: 'Events that it is about.' },
    { name: 'estimate', type: 'double' },
    { name: 'lower', type: 'double' },
    { name: 'upper', type: 'double' },
  ],
} as const;

const certified = [
  ...policyFields,
  { name: 'certificate', type: ['null', certificate], default: null, doc: 'Null before control begins.' },
] as const;

/** As published before answers were fused: still read. */
export const policySchemaV2 = { ...policyRecord, fields: certified } as const;

const panel = {
  type: 'record',
  name: 'Panel',
  doc: 'What is learned about a set of tiers that answered the same event.',
  fields: [
    { name: 'tiers', type: { type: 'array', items: 'string' } },
    { name: 'votes', type: floatVector, doc: 'Weights of the posterior over the labels.' },
    { name: 'harm', type: floatVector, doc: 'Harm of the fused answer; may be empty.' },
    { name: 'risks', type: { type: 'array', items: floatVector }, doc: 'Risk of serving now, then after each tier that is missing.' },
    { name: 'gains', type: floatVector, doc: 'How the gain of asking on moves once another tier has spoken.' },
  ],
} as const;

const fusing = [
  ...certified,
  { name: 'panels', type: { type: 'array', items: panel }, default: [], doc: 'Empty before answers are fused.' },
] as const;

/** As published before routers reserved budgets: still read. */
export const policySchemaV3 = { ...policyRecord, fields: fusing } as const;

const budgetLeft = {
  type: 'record',
  name: 'BudgetLeft',
  doc: 'What predictions have left of the window of the budget.',
  fields: [
    { name: 'left', type: 'double', doc: 'Heavy = 1.' },
    { name: 'events', type: 'long', doc: 'Events that the rest of the window has.' },
  ],
} as const;

const budgeting = [
  ...fusing,
  { name: 'budgetLeft', type: ['null', budgetLeft], default: null, doc: 'Null unless the budget comes first.' },
] as const;

/** As published before flows had segments: still read. */
export const policySchemaV4 = { ...policyRecord, fields: budgeting } as const;

const segmentPolicy = {
  type: 'record',
  name: 'SegmentPolicy',
  doc: 'Where one segment of the flow stands.',
  fields: [
    { name: 'segment', type: 'string' },
    { name: 'offset', type: 'double', doc: 'Added to ln of the threshold for events of the segment.' },
    { name: 'heavyOnly', type: 'boolean', doc: 'Heavy alone serves the segment.' },
  ],
} as const;

const segmenting = [
  ...budgeting,
  { name: 'segments', type: { type: 'array', items: segmentPolicy }, default: [], doc: 'Empty where the flow names none.' },
] as const;

/** As published before routers kept within sight of the learner: still read. */
export const policySchemaV5 = { ...policyRecord, fields: segmenting } as const;

export const policySchema = {
  ...policyRecord,
  fields: [
    ...segmenting,
    {
      name: 'heard',
      type: { type: 'array', items: 'long' },
      default: [],
      doc: 'For each partition of the request topic the offset after the newest request of which an answer was folded.',
    },
  ],
} as const;
