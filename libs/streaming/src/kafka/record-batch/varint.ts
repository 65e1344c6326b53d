/** Zigzag varints (protobuf's), as records use them for lengths and deltas. Numbers stay below 2^53. */

const wide = 2 ** 31;

/** Bytes of a value of 32 bits. */
export function sizeOfVarint(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  return zigzag < 0x80 ? 1 : Math.ceil((32 - Math.clz32(zigzag)) / 7);
}

/** Bytes of an unsigned value of 31 bits, not zigzag: what the protocol around the records uses (KIP-482). */
export const sizeOfUvarint = (value: number): number => (value < 0x80 ? 1 : Math.ceil((32 - Math.clz32(value)) / 7));

/** Bytes of a value of up to 53 bits. */
export function sizeOfVarlong(value: number): number {
  if (value >= -wide && value < wide) return sizeOfVarint(value);
  let size = 1;
  for (let rest = zigzag53(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Writes a value of 32 bits. Returns where it ends. */
export const writeVarint = (bytes: Uint8Array, at: number, value: number): number =>
  writeUvarint(bytes, at, ((value << 1) ^ (value >> 31)) >>> 0);

/** Writes an unsigned value of 32 bits, not zigzag. Returns where it ends. */
export function writeUvarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Writes a value of up to 53 bits. Returns where it ends. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -wide && value < wide) return writeVarint(bytes, at, value);
  let rest = zigzag53(value);
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}

/** Twice 2^52 still is exact: time stamps are far below. */
const zigzag53 = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
