import { source } from './parts.ts';

export const healthSchema = {
  type: 'record',
  name: 'Health',
  namespace: 'sluice',
  doc: 'State of one worker: sluice.health, key = flow/model/instance.',
  fields: [
    { name: 'flow', type: 'string' },
    { name: 'model', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'instance', type: 'string' },
    { name: 'at', type: 'long' },
    { name: 'backend', type: 'string' },
    { name: 'gpu', type: 'boolean' },
    { name: 'base', type: 'double', doc: 'Microseconds: batch time is base + perRow * n.' },
    { name: 'perRow', type: 'double', doc: 'Microseconds.' },
    { name: 'queued', type: 'long' },
    { name: 'served', type: 'long' },
    { name: 'failed', type: 'long' },
  ],
} as const;

export const deadLetterSchema = {
  type: 'record',
  name: 'DeadLetter',
  namespace: 'sluice',
  doc: 'Cause and origin of a dead letter: header sluice-dead-letter; key and value of the record stay as they were.',
  fields: [
    { name: 'code', type: 'string' },
    { name: 'class', type: { type: 'enum', name: 'DeadLetterClass', symbols: ['reject', 'drop'] } },
    { name: 'message', type: 'string' },
    { name: 'stage', type: 'string' },
    { name: 'source', type: source },
    { name: 'timestamp', type: 'long' },
    { name: 'attempts', type: 'int' },
  ],
} as const;
