import type { FeatureSpec, Manifest } from '@sluice/domain';

/**
 * Made-up input rows, the same at every call, as dense as real ones: hashed text and categories are mostly zeros, and
 * a loop that skips zeros must not be judged on rows without any.
 */
export function sampleRows(manifest: Pick<Manifest, 'input'>, n: number): Float32Array {
  const width = manifest.input.shape.reduce((product, size) => product * size, 1);
  const rows = new Float32Array(n * width);
  const uniform = generator(20_231);
  for (let row = 0; row < n; row++) {
    let at = row * width;
    const end = at + width;
    for (const feature of manifest.input.features) at = fill(rows, at, { feature, uniform });
    // Features and shape agree in every folder that loads; a caller with a bare shape gets dense rows.
    while (at < end) rows[at++] = uniform();
  }
  return rows;
}

/** Different words in an ordinary message: 200 to 300. */
const wordsOfText = 256;

interface Column {
  readonly feature: FeatureSpec;
  readonly uniform: () => number;
}

function fill(rows: Float32Array, at: number, { feature, uniform }: Column): number {
  switch (feature.kind) {
    case 'number':
      rows[at] = uniform();
      return at + 1;
    case 'category':
      rows[at + Math.floor(uniform() * feature.buckets)] = 1;
      return at + feature.buckets;
    case 'text': {
      const words = Math.min(Math.ceil(feature.maxBytes / 8), wordsOfText * feature.ngrams, feature.buckets);
      for (let word = 0; word < words; word++)
        rows[at + Math.floor(uniform() * feature.buckets)] = uniform() > 0.5 ? words ** -0.5 : -(words ** -0.5);
      return at + feature.buckets;
    }
    case 'time':
      for (let part = 0; part < feature.parts.length * 2; part++) rows[at + part] = 2 * uniform() - 1;
      return at + feature.parts.length * 2;
    case 'image': {
      const columns = feature.width * feature.height * feature.channels;
      for (let column = 0; column < columns; column++) rows[at + column] = (uniform() * 255) / feature.divide - feature.subtract;
      return at + columns;
    }
    case 'bytes':
      for (let column = 0; column < feature.length / feature.pool; column++) rows[at + column] = uniform();
      return at + feature.length / feature.pool;
  }
}

/** Park and Miller's generator: small, and the same on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
