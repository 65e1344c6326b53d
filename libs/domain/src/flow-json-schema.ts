import { z } from 'zod';
import { flowSchema } from './flow.ts';

/**
 * The flow document as JSON Schema (draft 7, which editors know best): what may be written, so fields with a default are
 * optional. Faults that need two fields at once, such as a rule for a tier that does not exist, are found by `parseFlow` only.
 */
export function flowJsonSchema(): object {
  return { title: 'Sluice flow', ...z.toJSONSchema(flowSchema, { io: 'input', target: 'draft-7' }) };
}
