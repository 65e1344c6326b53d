import { PNG } from 'pngjs';
import { compileExtractor, encodeSingleObject, singleObjectHeader } from '@sluice/contracts';
import { featureSpec } from '@sluice/domain';
import { openTrainingBackend } from './backend.ts';
import { Random } from './random.ts';

const schema = { type: 'record', name: 'Photo', fields: [{ name: 'photo', type: 'bytes' }] };

describe('the input that a manifest declares', () => {
  it.each([
    [57, 31],
    [300, 224],
  ])('is what nsfwjs computes itself from an image of %i x %i pixels', async (width, height) => {
    const { tf } = await openTrainingBackend('wasm');
    const random = new Random(1);
    const image = new PNG({ width, height });
    for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : Math.floor(random.uniform() * 256);
    const feature = featureSpec.parse({ field: 'photo', kind: 'image', width: 224, height: 224, resize: 'bilinear-corners' });
    const row = new Float32Array(224 * 224 * 3);
    compileExtractor(schema, [feature], { flags: false }).extract(
      encodeSingleObject(schema, { photo: PNG.sync.write(image) }),
      singleObjectHeader,
      row,
      0,
    );
    // nsfwjs 4.4.0, core.js: pixels by 255, resizeBilinear with alignCorners.
    const pixels = tf.tensor3d(
      [...image.data].filter((_, i) => i % 4 !== 3),
      [height, width, 3],
    );
    const expected = tf.image.resizeBilinear(tf.div(pixels, 255) as typeof pixels, [224, 224], true).dataSync();
    const apart = row.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
    // WebAssembly computes where a pixel lies in single precision.
    expect(apart).toBeLessThan(1e-4);
  });
});
