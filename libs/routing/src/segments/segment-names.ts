import { murmur3, otherSegment } from '@sluice/domain';

/** Longer values are hardly names of anything; they count among the others. */
const longest = 64;
const places = 256;

interface Known {
  readonly bytes: Buffer;
  readonly name: string;
}

/** Names of segments from their bytes. The latest are remembered by hash, so that one that comes again is read without making a string. */
export class SegmentNames {
  readonly #known: (Known | undefined)[] = new Array<Known | undefined>(places).fill(undefined);

  /** The text in `bytes[start, end)`, UTF-8. */
  of(bytes: Buffer, start: number, end: number): string {
    if (end - start > longest) return otherSegment;
    const place = murmur3(bytes, 0, start, end) % places;
    const known = this.#known[place];
    if (known !== undefined && known.bytes.compare(bytes, start, end) === 0) return known.name;
    const fresh = { bytes: Buffer.from(bytes.subarray(start, end)), name: bytes.toString('utf8', start, end) };
    this.#known[place] = fresh;
    return fresh.name;
  }
}
