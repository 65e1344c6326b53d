import { murmur3, type FeatureSpec } from '@sluice/domain';

/** What stands at a feature's field, as avsc gives it; undefined where it is null or another branch of a union. */
export type Found = number | boolean | string | Buffer | undefined;

interface Facts {
  /** Units a day of the field's logical type. */
  readonly perDay: number;
  readonly flags: boolean;
}

/** Slow and plain: the columns of one feature, written from the words of its documentation. Undefined where the value must be refused. */
export function plainColumns(feature: FeatureSpec, found: Found, { perDay, flags }: Facts): number[] | undefined {
  switch (feature.kind) {
    case 'number':
      return numberColumns(feature, found === undefined ? undefined : Number(found), flags);
    case 'category':
      return categoryColumns(feature, found, flags);
    case 'text':
      return textColumns(feature, found === undefined ? undefined : Buffer.from(found as Buffer));
    case 'time':
      return timeColumns(feature, found === undefined ? undefined : Number(found) / perDay);
    case 'bytes':
      return bytesColumns(feature, found as Buffer | undefined);
  }
}

type Of<Kind extends FeatureSpec['kind']> = Extract<FeatureSpec, { kind: Kind }>;

function numberColumns({ scale, min, max }: Of<'number'>, value: number | undefined, flags: boolean): number[] | undefined {
  if (value === undefined) return flags ? [0, 1, 0] : [0];
  if (!Number.isFinite(value)) return undefined;
  const bend = (x: number): number => (scale === 'log' ? Math.sign(x) * Math.log1p(Math.abs(x)) : x);
  const clipped = Math.min(max!, Math.max(min!, value));
  const scaled = scale === 'none' ? clipped : (bend(clipped) - bend(min!)) / (bend(max!) - bend(min!));
  return flags ? [scaled, 0, clipped === value ? 0 : 1] : [scaled];
}

function categoryColumns({ buckets, seed, signed }: Of<'category'>, found: Found, flags: boolean): number[] | undefined {
  const row = new Array<number>(buckets + (flags ? 1 : 0)).fill(0);
  if (found === undefined) {
    if (flags) row[buckets] = 1;
    return row;
  }
  if (typeof found === 'number' && !Number.isFinite(found)) return undefined;
  const hash = murmur3(bytesOfValue(found), seed);
  if (signed) row[(hash & 0x7fffffff) % buckets] = hash >>> 31 === 1 ? -1 : 1;
  else row[hash % buckets] = 1;
  return row;
}

function bytesOfValue(found: Exclude<Found, undefined>): Buffer {
  if (typeof found === 'string') return Buffer.from(found);
  if (typeof found === 'object') return found;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(Number(found) === 0 ? 0 : Number(found));
  return bytes;
}

/** Words are runs of ASCII letters, digits, `$ ! ' -` and bytes of other characters; only their first 40 bytes count. */
function textColumns({ buckets, maxBytes, ngrams, seed }: Of<'text'>, text: Buffer | undefined): number[] {
  const counts = new Array<number>(buckets).fill(0);
  const words = text?.subarray(0, maxBytes).toString('latin1').match(/[A-Za-z0-9$!'\u0080-\u00ff-]+/g) ?? []; // prettier-ignore
  const hashes = words.map((word) =>
    murmur3(
      Buffer.from(
        word.slice(0, 40).replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
        'latin1',
      ),
      seed,
    ),
  );
  const count = (hash: number): void => void (counts[(hash & 0x7fffffff) % buckets]! += hash >>> 31 === 1 ? -1 : 1);
  hashes.forEach((hash, i) => {
    count(hash);
    // A word whose hash is 0 counts as none before it.
    if (ngrams > 1 && i > 0 && hashes[i - 1] !== 0) count(pair(hashes[i - 1]!, hash));
  });
  const weights = counts.map((each) => Math.fround(Math.sign(each) * Math.log1p(Math.abs(each))));
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
  return length === 0 ? weights : weights.map((weight) => weight / length);
}

function pair(first: number, second: number): number {
  let h = (Math.imul(first, 0x9e3779b1) + second) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function timeColumns({ parts }: Of<'time'>, days: number | undefined): number[] | undefined {
  if (days === undefined) return parts.flatMap(() => [0, 0]);
  if (!Number.isFinite(days)) return undefined;
  const day = Math.floor(days);
  const turns = { hour: days - day, weekday: ((((day + 4) % 7) + 7) % 7) / 7 };
  return parts.flatMap((part) => [Math.sin(2 * Math.PI * turns[part]), Math.cos(2 * Math.PI * turns[part])]);
}

function bytesColumns({ length, divide, pool }: Of<'bytes'>, bytes: Buffer | undefined): number[] | undefined {
  if ((bytes?.length ?? 0) !== length) return undefined;
  return Array.from({ length: length / pool }, (_, i) => {
    const sum = bytes!.subarray(i * pool, (i + 1) * pool).reduce((total, byte) => total + byte, 0);
    return sum / (divide * pool);
  });
}
