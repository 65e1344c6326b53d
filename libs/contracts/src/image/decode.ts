import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { SluiceError } from '@sluice/domain';

/** A decoded image: 8 bits a value, `channels` values a pixel, row by row from the top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

const signatures = { jpeg: [0xff, 0xd8, 0xff], png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] } as const;

/**
 * Decodes JPEG (baseline and progressive) or PNG bytes, told apart by their first bytes. Orientation tags are not read.
 * @param maxPixels larger images are refused by their header, before memory is taken for them.
 * @throws SluiceError SLUICE_IMAGE_INVALID.
 */
export function decodeImage(bytes: Uint8Array, maxPixels: number): Pixels {
  try {
    if (startsWith(bytes, signatures.jpeg)) return decodeJpeg(bytes, maxPixels);
    if (startsWith(bytes, signatures.png)) return decodePng(bytes, maxPixels);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    throw refused(cause instanceof Error ? cause.message : String(cause), cause);
  }
  throw refused(`${bytes.length} bytes are neither JPEG nor PNG`);
}

function decodeJpeg(bytes: Uint8Array, maxPixels: number): Pixels {
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: maxPixels / 1e6,
    // The decoder holds coefficients, rows and output at once; its own limit is for a whole process.
    maxMemoryUsageInMB: 64 + (maxPixels * 24) / 1e6,
  });
  return { width, height, channels: 3, data };
}

function decodePng(bytes: Uint8Array, maxPixels: number): Pixels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) throw refused('the PNG ends within its header');
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height > maxPixels) throw refused(`the PNG has ${width} x ${height} pixels, at most ${maxPixels} are decoded`);
  const { data } = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return { width, height, channels: 4, data };
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

function refused(fault: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_IMAGE_INVALID', `the image cannot be decoded: ${fault}`, { cause });
}
