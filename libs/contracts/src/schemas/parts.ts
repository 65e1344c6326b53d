import { stepKinds } from '@sluice/domain';

/** Named types that several schemas share. Avro wants a name defined once per schema, so each stands at its first use. */
export const source = {
  type: 'record',
  name: 'Source',
  doc: 'Coordinates of a record: unique for ever within one cluster.',
  fields: [
    { name: 'topic', type: 'string' },
    { name: 'partition', type: 'int' },
    { name: 'offset', type: 'long' },
  ],
} as const;

export const answer = {
  type: 'record',
  name: 'Answer',
  doc: 'What one tier answered.',
  fields: [
    { name: 'tier', type: 'string' },
    { name: 'model', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'label', type: 'int', doc: 'Index into the labels of the flow.' },
    { name: 'confidence', type: 'double', doc: 'Largest output, 0 to 1.' },
    { name: 'margin', type: 'double', doc: 'Difference of the two largest outputs.' },
    { name: 'entropy', type: 'double', doc: 'Entropy of the outputs in nats.' },
  ],
} as const;

export const step = {
  type: 'record',
  name: 'Step',
  doc: 'One decision in the trail of an event.',
  fields: [
    { name: 'kind', type: { type: 'enum', name: 'StepKind', symbols: stepKinds } },
    { name: 'tier', type: 'string' },
    { name: 'harm', type: 'double', doc: 'Estimated probability that the tier errs where heavy is right.' },
    { name: 'score', type: 'double', doc: 'Expected total cost of the chosen action, harm over threshold included.' },
    { name: 'reason', type: 'string' },
    { name: 'at', type: 'long', doc: 'Milliseconds since 1970.' },
    { name: 'policyVersion', type: 'long', doc: 'Policy the decision was made under.' },
  ],
} as const;

export const audit = {
  type: 'record',
  name: 'Audit',
  fields: [
    { name: 'probability', type: 'double' },
    { name: 'drawn', type: 'boolean' },
  ],
} as const;

const slipTier = {
  type: 'record',
  name: 'SlipTier',
  logicalType: 'sluice-slip-tier',
  fields: [
    { name: 'tier', type: 'string' },
    { name: 'model', type: 'string' },
    { name: 'cost', type: 'double', doc: 'Cost of one event, heavy = 1.' },
    { name: 'queuePrice', type: ['null', 'double'], doc: 'Price of waiting in the unit of cost; null when the tier is down.' },
    { name: 'wait', type: 'long', doc: 'Milliseconds until its answer, waiting included; 0 when unknown.', default: 0 },
    { name: 'bar', type: 'string', doc: 'Why the tier may not run for this event; empty when it may.', default: '' },
  ],
} as const;

export const slip = {
  type: 'record',
  name: 'Slip',
  doc: 'The plan a worker carries out without asking the router again.',
  fields: [
    { name: 'tiers', type: { type: 'array', items: slipTier } },
    { name: 'position', type: 'int' },
    { name: 'threshold', type: 'double' },
    { name: 'heavyOnly', type: 'boolean' },
    { name: 'auditRate', type: 'double' },
    { name: 'auditDraw', type: 'double' },
    { name: 'budget', type: ['null', 'double'], doc: 'What the tiers may cost together; null when all are paid for.', default: null },
    { name: 'segment', type: 'string', doc: 'Segment of the flow; empty where it names none.', default: '' },
  ],
} as const;

/** Indices as uint16, then values as float32, little-endian; see `encodeSparse`. */
export const sparseRow = { type: 'bytes', logicalType: 'sluice-sparse-row' } as const;
/** float32 little-endian. */
export const floatVector = { type: 'bytes', logicalType: 'sluice-float-vector' } as const;
/** Bytes handed out in memory of their own. */
export const opaqueBytes = { type: 'bytes', logicalType: 'sluice-opaque' } as const;
