import type { AvroObject, AvroSchema } from '../fingerprint.ts';
import { healthSchema } from './operations.ts';
import { slip } from './parts.ts';
import { predictionSchema } from './prediction.ts';
import { tagSchema } from './tag.ts';

/** As written before slips named segments: still read. */
const slipV2 = without(slip, { segment: undefined });
export const tagSchemaV2 = without(tagSchema, { slip: slipV2 });
export const predictionSchemaV2 = without(predictionSchema, { slip: slipV2 });

/** As written before slips told of waits, bars and budgets: still read. */
const slipV1 = without(slip, { segment: undefined, budget: undefined, tiers: { type: 'array', items: without(slip.fields[0].type.items, { wait: undefined, bar: undefined }) } }); // prettier-ignore
export const tagSchemaV1 = without(tagSchema, { slip: slipV1 });
export const predictionSchemaV1 = without(predictionSchema, { slip: slipV1, deadlineAt: undefined });

/** As written before workers told the code of the error for which they refuse a version. */
export const healthSchemaV2 = without(healthSchema, { refusedCode: undefined });

/** As written before workers told of versions that they refuse, of their breakers, and of what waits on their topics. */
export const healthSchemaV1 = without(healthSchema, {
  refusedVersion: undefined,
  refusedWhy: undefined,
  refusedCode: undefined,
  breakerOpen: undefined,
  delay: undefined,
});

/** The record with fields left out (undefined) or of another type. */
function without(record: AvroObject, changes: Readonly<Record<string, AvroSchema | undefined>>): AvroObject {
  const fields = (record['fields'] as readonly AvroObject[])
    .filter(({ name }) => !(name! in changes && changes[name!] === undefined))
    .map((field) => ({ ...field, type: changes[field.name!] ?? field.type }));
  return { ...record, fields };
}
