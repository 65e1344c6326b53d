import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SluiceError } from '@sluice/domain';

/** Images of one size with their labels. */
export interface ImageSet {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** `count * height * width` bytes, 0 black to 255 white, row by row. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

export interface IdxImages {
  readonly train: ImageSet;
  readonly test: ImageSet;
}

/**
 * Reads a folder in the IDX layout of MNIST and Fashion-MNIST, plain or gzipped.
 * @throws SluiceError SLUICE_DATA_MISSING naming the first file that is missing or broken.
 */
export function idxImages(dir: string): IdxImages {
  return { train: imageSet(dir, 'train'), test: imageSet(dir, 't10k') };
}

function imageSet(dir: string, part: 'train' | 't10k'): ImageSet {
  const images = readIdx(dir, `${part}-images-idx3-ubyte`, 3);
  const labels = readIdx(dir, `${part}-labels-idx1-ubyte`, 1);
  const [count, height, width] = images.sizes as [number, number, number];
  if (labels.sizes[0] !== count)
    throw new SluiceError('SLUICE_DATA_MISSING', `${dir}: ${count} images but ${labels.sizes[0]} labels in part ${part}`);
  return { count, width, height, pixels: images.values, labels: labels.values };
}

/** IDX: two zero bytes, type 8 (unsigned byte), number of dimensions, each size as a big-endian 32-bit integer, then the values. */
function readIdx(dir: string, name: string, dimensions: number): { sizes: number[]; values: Uint8Array } {
  const bytes = readMaybeGzipped(join(dir, name));
  const start = 4 + 4 * dimensions;
  if (bytes.length < start || bytes.readUInt32BE(0) !== 0x0800 + dimensions)
    throw new SluiceError('SLUICE_DATA_MISSING', `${join(dir, name)} is not an IDX file of ${dimensions} dimensions`);
  const sizes = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const length = sizes.reduce((product, size) => product * size, 1);
  if (bytes.length !== start + length)
    throw new SluiceError('SLUICE_DATA_MISSING', `${join(dir, name)} holds ${bytes.length - start} values, its header says ${length}`);
  return { sizes, values: bytes.subarray(start) };
}

function readMaybeGzipped(path: string): Buffer {
  if (existsSync(path)) return readFileSync(path);
  if (existsSync(`${path}.gz`)) return gunzipSync(readFileSync(`${path}.gz`));
  throw new SluiceError('SLUICE_DATA_MISSING', `${path}(.gz) does not exist`);
}
