import { sizeOfUvarint, writeUvarint } from './varint.ts';

/** How a version of a request frames what it holds. Writers return where they end. */
export interface Form {
  sizeOfString(text: string | null): number;
  writeString(bytes: Buffer, at: number, text: string | null): number;
  /** The length of an array, or of a run of bytes. */
  sizeOfLength(length: number): number;
  writeLength(bytes: Buffer, at: number, length: number): number;
  /** Size of the section of tagged fields behind each structure, of which we write none. */
  readonly tags: 0 | 1;
}

const int16 = 2;
const int32 = 4;
const lengthOf = (text: string | null): number => (text === null ? 0 : Buffer.byteLength(text));

/** Lengths of a fixed size, -1 for null. */
export const classic: Form = {
  sizeOfString: (text) => int16 + lengthOf(text),
  writeString(bytes, at, text) {
    if (text === null) return bytes.writeInt16BE(-1, at);
    const length = bytes.write(text, at + int16, 'utf8');
    bytes.writeInt16BE(length, at);
    return at + int16 + length;
  },
  sizeOfLength: () => int32,
  writeLength: (bytes, at, length) => bytes.writeInt32BE(length, at),
  tags: 0,
};

/** KIP-482: lengths are unsigned varints and one more than the length, 0 for null. */
export const flexible: Form = {
  sizeOfString: (text) => sizeOfUvarint(text === null ? 0 : lengthOf(text) + 1) + lengthOf(text),
  writeString(bytes, at, text) {
    if (text === null) return writeUvarint(bytes, at, 0);
    const from = writeUvarint(bytes, at, lengthOf(text) + 1);
    return from + bytes.write(text, from, 'utf8');
  },
  sizeOfLength: (length) => sizeOfUvarint(length + 1),
  writeLength: (bytes, at, length) => writeUvarint(bytes, at, length + 1),
  tags: 1,
};

/** Writes an empty section of tagged fields where the form has one. */
export function writeTags(bytes: Buffer, at: number, { tags }: Form): number {
  if (tags > 0) bytes[at] = 0;
  return at + tags;
}
