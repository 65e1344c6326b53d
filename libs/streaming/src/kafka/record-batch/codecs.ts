import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

/** Packs and unpacks the records of a batch, in the framing of Kafka's Java client. */
interface Codec {
  readonly name: string;
  readonly compress: (bytes: Buffer) => Promise<Buffer>;
  readonly decompress: (bytes: Buffer) => Promise<Buffer>;
}

const require = createRequire(import.meta.url);
const gzip = promisify(zlib.gzip);
const gunzip = promisify(zlib.gunzip);

/** xerial's stream: magic, version 1, compatible with 1, then blocks of at most 32 KiB with their sizes. */
const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01]);
const xerialMagicLength = 8;
const xerialBlock = 32 * 1024;

interface Snappy {
  compress(bytes: Uint8Array): Uint8Array;
  uncompress(bytes: Uint8Array): Uint8Array;
}

function snappyCompress(bytes: Buffer): Buffer {
  const { compress } = require('snappyjs') as Snappy;
  const parts: Uint8Array[] = [xerial];
  for (let from = 0; from < bytes.length; from += xerialBlock) {
    const block = compress(bytes.subarray(from, from + xerialBlock));
    const size = Buffer.alloc(4);
    size.writeInt32BE(block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

/** Librdkafka and others write one bare block instead of the stream. */
function snappyDecompress(bytes: Buffer): Buffer {
  const { uncompress } = require('snappyjs') as Snappy;
  if (bytes.compare(xerial, 0, xerialMagicLength, 0, xerialMagicLength) !== 0) return Buffer.from(uncompress(bytes));
  const parts: Uint8Array[] = [];
  for (let at = xerial.length; at < bytes.length;) {
    const size = bytes.readInt32BE(at);
    parts.push(uncompress(bytes.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(parts);
}

interface Lz4 {
  compressFrame(bytes: Uint8Array): Promise<Buffer>;
  decompressFrame(bytes: Uint8Array): Promise<Buffer>;
}
const lz4 = (): Lz4 => require('lz4-napi') as Lz4;

/** By the code in a batch's attributes (CompressionType). */
const codecs: Readonly<Record<number, Codec>> = {
  1: { name: 'gzip', compress: (bytes) => gzip(bytes), decompress: (bytes) => gunzip(bytes) },
  2: { name: 'snappy', compress: async (bytes) => snappyCompress(bytes), decompress: async (bytes) => snappyDecompress(bytes) },
  3: { name: 'lz4', compress: (bytes) => lz4().compressFrame(bytes), decompress: (bytes) => lz4().decompressFrame(bytes) },
  4: {
    name: 'zstd',
    compress: (bytes) => promisify(zlib.zstdCompress)(bytes),
    decompress: (bytes) => promisify(zlib.zstdDecompress)(bytes),
  },
};

function codecOf(code: number): Codec {
  const codec = codecs[code];
  if (codec === undefined) throw new Error(`codec ${code} is not known`);
  return codec;
}

/** @throws Error for a code that is not known */
export const compress = async (code: number, bytes: Buffer): Promise<Buffer> => codecOf(code).compress(bytes);

/** @throws Error for a code that is not known, and for bytes that are not its format */
export async function decompress(code: number, bytes: Buffer): Promise<Buffer> {
  const codec = codecOf(code);
  try {
    return await codec.decompress(bytes);
  } catch (thrown) {
    throw new Error(`${codec.name} cannot be unpacked: ${(thrown as Error).message}`, { cause: thrown });
  }
}
