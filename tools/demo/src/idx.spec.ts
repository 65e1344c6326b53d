import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { idxImages } from './idx.ts';

function idx(sizes: number[], values: number[]): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.writeUInt32BE(0x0800 + sizes.length, 0);
  sizes.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([head, Buffer.from(values)]);
}

describe('idxImages', () => {
  const dir = mkdtempSync(join(tmpdir(), 'idx-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('reads plain and gzipped files', () => {
    writeFileSync(join(dir, 'train-images-idx3-ubyte.gz'), gzipSync(idx([2, 1, 2], [1, 2, 3, 4])));
    writeFileSync(join(dir, 'train-labels-idx1-ubyte'), idx([2], [7, 8]));
    writeFileSync(join(dir, 't10k-images-idx3-ubyte'), idx([1, 1, 2], [5, 6]));
    writeFileSync(join(dir, 't10k-labels-idx1-ubyte.gz'), gzipSync(idx([1], [9])));
    const { train, test } = idxImages(dir);
    expect(train).toMatchObject({ count: 2, width: 2, height: 1 });
    expect([...train.pixels, ...train.labels]).toEqual([1, 2, 3, 4, 7, 8]);
    expect([...test.pixels, ...test.labels]).toEqual([5, 6, 9]);
  });

  it('names the file that is missing, cut short, or of another kind', () => {
    expect(() => idxImages(join(dir, 'nowhere'))).toThrow(/train-images-idx3-ubyte\(\.gz\) does not exist/);
    writeFileSync(join(dir, 't10k-labels-idx1-ubyte'), idx([3], [9]));
    expect(() => idxImages(dir)).toThrow(/holds 1 values, its header says 3/);
    writeFileSync(join(dir, 't10k-labels-idx1-ubyte'), 'text');
    expect(() => idxImages(dir)).toThrow(/t10k-labels-idx1-ubyte is not an IDX file/);
  });
});
