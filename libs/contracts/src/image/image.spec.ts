import avro from 'avsc';
import fc from 'fast-check';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { featureSpec } from '@sluice/domain';
import { compileExtractor } from '../extractor.ts';
import { decodeImage } from './decode.ts';
import { tapsOf } from './resize.ts';

const schema = { type: 'record', name: 'Photo', fields: [{ name: 'photo', type: ['null', 'bytes'] }] };
const type = avro.Type.forSchema(schema as avro.Schema);

/** Pixels of one colour each, as a PNG keeps them. */
function png(width: number, height: number, colour: (x: number, y: number) => readonly [number, number, number]): Buffer {
  const image = new PNG({ width, height });
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) image.data.set([...colour(x, y), 255], (y * width + x) * 4);
  return PNG.sync.write(image);
}

function rowOf(photo: Buffer | null, spec: object): number[] {
  const feature = featureSpec.parse({ field: 'photo', kind: 'image', width: 2, height: 2, divide: 1, ...spec });
  const extractor = compileExtractor(schema, [feature], { flags: false });
  const row = new Float32Array(extractor.width);
  extractor.extract(type.toBuffer({ photo }), 0, row, 0);
  return [...row];
}

const corners = png(2, 2, (x, y) => [100 * x, 100 * y, 50]);

describe('an image', () => {
  it('keeps its pixels where its size is the one asked for', () => {
    expect(rowOf(corners, {})).toEqual([0, 0, 50, 100, 0, 50, 0, 100, 50, 100, 100, 50]);
  });

  it('is scaled, and turned grey, as declared', () => {
    expect(rowOf(corners, { divide: 50, subtract: 1 }).slice(3, 6)).toEqual([1, -1, 0]);
    expect(rowOf(corners, { channels: 1 })[3]).toBeCloseTo(0.299 * 100 + 0.587 * 100 + 0.114 * 50, 4);
  });

  it.each([
    ['bilinear', [0, 25, 75, 100]],
    ['bilinear-corners', [0, 100 / 3, 200 / 3, 100]],
    ['nearest', [0, 0, 100, 100]],
  ])('grows by %s as TensorFlow does', (resize, expected) => {
    const reds = rowOf(corners, { width: 4, height: 2, resize }).filter((_, i) => i % 3 === 0);
    reds.slice(0, 4).forEach((red, i) => expect(red).toBeCloseTo(expected[i]!, 4));
  });

  it('shrinks and grows within the range of its pixels, whatever the sizes', () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, fc.constantFrom('bilinear', 'bilinear-corners', 'nearest'), (from, to, resize) => {
        const { low, high, share } = tapsOf(from, to, resize as 'nearest');
        for (let i = 0; i < to; i++) {
          expect(low[i]! >= 0 && high[i]! < from && low[i]! <= high[i]! && share[i]! >= 0 && share[i]! < 1).toBe(true);
        }
      }),
    );
  });

  it('may be a JPEG, whose colours come out nearly as they went in', () => {
    const data = Buffer.alloc(32 * 32 * 4, Buffer.of(200, 100, 50, 255));
    const photo = Buffer.from(jpeg.encode({ width: 32, height: 32, data }, 95).data);
    const [red, green, blue] = rowOf(photo, {});
    expect([Math.abs(red! - 200) < 4, Math.abs(green! - 100) < 4, Math.abs(blue! - 50) < 4]).toEqual([true, true, true]);
  });

  it('is refused when it is missing, damaged, of another kind, or larger than allowed', () => {
    const refused = expect.objectContaining({ code: 'SLUICE_IMAGE_INVALID' });
    const photo = Buffer.from(jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(256, 9) }, 90).data);
    for (const bytes of [
      null,
      Buffer.alloc(0),
      Buffer.from('GIF89a'),
      corners.subarray(0, 20),
      corners.subarray(0, 50),
      photo.subarray(0, 30),
    ])
      expect(() => rowOf(bytes, {})).toThrow(refused);
    const bomb = png(1, 1, () => [0, 0, 0]);
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    expect(() => decodeImage(bomb, 1e6)).toThrow(refused);
    expect(() => rowOf(corners, { maxPixels: 3 })).toThrow(refused);
  });

  it('gives only errors of the table, whatever follows its first bytes', () => {
    const starts = [corners.subarray(0, 8), Buffer.of(0xff, 0xd8, 0xff), corners.subarray(0, 33)];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 200 }), (start, rest) => {
        try {
          decodeImage(Buffer.concat([start, rest]), 1e6);
        } catch (error) {
          expect(error).toMatchObject({ code: 'SLUICE_IMAGE_INVALID' });
        }
      }),
    );
  });

  it('cannot be part of a signature', () => {
    const feature = featureSpec.parse({ field: 'photo', kind: 'image', width: 2, height: 2 });
    expect(() => compileExtractor(schema, [feature], { flags: true })).toThrow(expect.objectContaining({ code: 'SLUICE_SCHEMA_INVALID' }));
  });
});
