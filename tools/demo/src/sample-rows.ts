import { compileExtractor, singleObjectHeader } from '@sluice/contracts';
import type { FeatureSpec } from '@sluice/domain';
import type { Samples } from './dataset.ts';
import type { Rows } from './fit.ts';

/** Rows through the extractor that serving uses, from the very bytes a producer sends: training and serving cannot skew. */
export function sampleRows(samples: Samples, schema: object, features: readonly FeatureSpec[]): Rows {
  const extractor = compileExtractor(schema, features, { flags: false });
  const values = Array.from({ length: samples.count }, (_, index) => samples.value(index));
  return {
    count: samples.count,
    width: extractor.width,
    fill: (index, row, at) => {
      extractor.extract(values[index]!, singleObjectHeader, row, at);
    },
    label: (index) => samples.label(index),
  };
}
