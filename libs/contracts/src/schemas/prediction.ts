import { answer, audit, slip, source, sparseRow, step } from './parts.ts';

export const predictionSchema = {
  type: 'record',
  name: 'Prediction',
  namespace: 'sluice',
  doc: 'One served answer: <flow>.predictions, key = id.',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'flow', type: 'string' },
    { name: 'source', type: source },
    { name: 'requestedAt', type: 'long' },
    { name: 'routedAt', type: 'long' },
    { name: 'deadlineAt', type: 'long', default: 0 },
    { name: 'policyVersion', type: 'long' },
    { name: 'tier', type: 'string' },
    { name: 'model', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'label', type: 'string' },
    { name: 'confidence', type: 'double' },
    { name: 'harm', type: 'double', doc: 'Estimated probability that heavy is right where this answer is wrong.' },
    { name: 'cost', type: 'double', doc: 'Cost of all tiers that ran for the user, heavy = 1.' },
    { name: 'propensity', type: 'double' },
    { name: 'slip', type: slip },
    { name: 'audit', type: audit },
    { name: 'signature', type: sparseRow },
    { name: 'trail', type: { type: 'array', items: step } },
    { name: 'answers', type: { type: 'array', items: answer } },
  ],
} as const;

export const shadowAnswerSchema = {
  type: 'record',
  name: 'ShadowAnswer',
  namespace: 'sluice',
  doc: 'What a tier would have answered: <flow>.shadow, key = id.',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'flow', type: 'string' },
    { name: 'source', type: source },
    { name: 'answer', type: answer },
  ],
} as const;
