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
    { name: 'refusedVersion', type: 'string', default: '', doc: 'Version of the catalog that this worker does not serve; empty: none.' },
    { name: 'refusedWhy', type: 'string', default: '' },
    { name: 'refusedCode', type: 'string', doc: 'Of the error behind it.', default: '' },
    { name: 'breakerOpen', type: 'boolean', doc: 'Its model fails and is left alone for the moment.', default: false },
    { name: 'delay', type: 'long', doc: 'Milliseconds that a record put on its topic now would wait until it is taken.', default: 0 },
  ],
} as const;

export const catalogEntrySchema = {
  type: 'record',
  name: 'CatalogEntry',
  namespace: 'sluice',
  doc: 'Version of a model that workers are to serve: sluice.catalog, key = model.',
  fields: [
    { name: 'model', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'digest', type: 'string', doc: 'SHA-256 of manifest.json, in hex.' },
    { name: 'folder', type: 'string', doc: 'Within the folder of all models.' },
    { name: 'at', type: 'long' },
    {
      name: 'measured',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Measured',
          fields: [
            { name: 'executor', type: 'string' },
            { name: 'apart', type: 'double', doc: "Largest difference of an output from the oracle's." },
            { name: 'otherLabels', type: 'int', doc: 'Rows with another label than the oracle gives.' },
            { name: 'refused', type: 'string', doc: 'Why it may not serve the model; empty when it may.' },
            {
              name: 'timings',
              type: {
                type: 'array',
                items: {
                  type: 'record',
                  name: 'BatchTiming',
                  fields: [
                    { name: 'n', type: 'int' },
                    { name: 'micros', type: 'double' },
                  ],
                },
              },
            },
          ],
        },
      },
    },
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
