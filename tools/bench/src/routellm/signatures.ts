import { encodeSingleObject } from '@sluice/contracts';
import { parseFlow, type SparseRow } from '@sluice/domain';
import { compileSignature } from '@sluice/routing';
import avro from 'avsc';
import type { Prompt } from './data.ts';
import { surface, surfaceNames, surfaceOf } from './surface.ts';

const buckets = 16_384;

const schema = {
  type: 'record',
  name: 'Prompt',
  fields: [{ name: 'prompt', type: 'string' }, ...surfaceNames.map((name) => ({ name, type: 'double' }))],
} as const;

const flow = parseFlow({
  flow: 'routellm',
  description: 'Prompts for a weak and a strong language model.',
  request: { schemas: ['prompt.avsc'] },
  labels: ['wrong', 'right'],
  signature: [
    ...surfaceNames.map((field) => ({
      field,
      kind: 'number',
      min: 0,
      max: surface[field].max,
      scale: surface[field].max > 1 ? 'log' : 'range',
    })),
    { field: 'prompt', kind: 'text', buckets, maxBytes: 65_536 },
  ],
  tiers: ['weak', 'strong'].map((name) => ({ name, model: name })),
  target: {},
});

export interface Signatures {
  readonly width: number;
  /** First of the columns that the hashed words share; those before tell of the form. */
  readonly firstWord: number;
  readonly rows: readonly SparseRow[];
}

/** The prompts as the router sees them: read from Avro bytes by the signature's own code. */
export function signaturesOf(prompts: readonly Prompt[]): Signatures {
  const signature = compileSignature(flow, [schema]);
  const type = avro.Type.forSchema(schema as never, { wrapUnions: 'never' } as never);
  const times = { now: 0, requestedAt: 0, deadlineAt: flow.request.deadlineMs };
  const rows = prompts.map(({ text }) => {
    const value = encodeSingleObject(type as never, { prompt: text, ...surfaceOf(text) });
    const { indices, values } = signature.read({ value, schema: 0, start: 10, ...times }).row;
    // The reading's row holds only until the next one.
    return { indices: indices.slice(), values: values.slice() };
  });
  return { width: signature.width, firstWord: signature.width - buckets, rows };
}
