import { answer, slip, source, sparseRow, step } from './parts.ts';

export const tagSchema = {
  type: 'record',
  name: 'Tag',
  namespace: 'sluice',
  doc: 'The decision of the router: header sluice-tag of every record on a model topic.',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'flow', type: 'string' },
    { name: 'source', type: source },
    { name: 'requestedAt', type: 'long' },
    { name: 'routedAt', type: 'long' },
    { name: 'deadlineAt', type: 'long' },
    { name: 'policyVersion', type: 'long' },
    { name: 'schema', type: 'int' },
    { name: 'shadow', type: 'boolean' },
    { name: 'propensity', type: 'double' },
    { name: 'slip', type: slip },
    { name: 'signature', type: sparseRow },
    { name: 'trail', type: { type: 'array', items: step } },
    { name: 'answers', type: { type: 'array', items: answer } },
  ],
} as const;
