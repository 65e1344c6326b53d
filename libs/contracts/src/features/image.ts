import { SluiceError } from '@sluice/domain';
import { decodeImage } from '../image/decode.ts';
import { resizeInto } from '../image/resize.ts';
import { slotKind } from '../projection.ts';
import { invalid } from '../schema-node.ts';
import { columns, expectKind, type FeatureReader, type ReaderPlace, type Spec } from './reader.ts';

/** The values of a JPEG or PNG, resized and scaled: height x width x channels. Takes milliseconds, so a signature may not ask for it. */
export function imageReader(spec: Spec<'image'>, place: ReaderPlace): FeatureReader {
  expectKind(spec, place, ['bytes']);
  const { field, width, height, channels, maxPixels } = spec;
  if (place.flags) throw invalid(`feature ${field}: an image takes milliseconds to decode; only models may read it, not the signature`);
  const { slot } = place;
  return {
    width: width * height * channels,
    dense: true,
    get names() {
      return columns(width * height * channels, (index) => `${field}[${index}]`);
    },
    read({ bytes, row, projection }, at) {
      if (projection.present[slot] === slotKind.missing) throw new SluiceError('SLUICE_IMAGE_INVALID', `field ${field} holds no image`);
      const image = bytes.subarray(projection.starts[slot]!, projection.ends[slot]!);
      resizeInto(decodeImage(image, maxPixels), spec, { row, at });
    },
  };
}
