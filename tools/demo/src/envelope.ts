import { compileProjection, fingerprintText, slotKind, singleObjectHeader } from '@sluice/contracts';
import type { Envelope, FeatureSpec } from '@sluice/domain';
import type { Samples } from './dataset.ts';

/** What a tier is validated for: the request schema, and the range that each number it reads has in its training data. */
export function envelopeOf(samples: Samples, schema: object, features: readonly FeatureSpec[]): Envelope {
  const fields = features.filter(({ kind }) => kind === 'number').map(({ field }) => field);
  const projection = compileProjection(schema, fields);
  const ranges: Envelope['ranges'] = {};
  for (let index = 0; index < samples.count; index++) {
    const value = samples.value(index);
    projection.read(value, singleObjectHeader, value.length);
    fields.forEach((field, slot) => {
      if (projection.present[slot] !== slotKind.number) return;
      const number = projection.numbers[slot]!;
      const known = ranges[field] ?? { min: number, max: number };
      ranges[field] = { min: Math.min(known.min, number), max: Math.max(known.max, number) };
    });
  }
  return { schemas: [fingerprintText(schema)], ranges };
}
