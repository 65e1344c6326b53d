import { encodeOutcome, encodeSingleObject, header } from '@sluice/contracts';
import type { ErrorCode, Flow } from '@sluice/domain';
import { Random } from './random.ts';
import type { StreamItem } from './request-stream.ts';

interface Malformed {
  readonly kind: string;
  readonly code: ErrorCode;
  /** Makes the malformed record from a good one; undefined parts stay as they are. */
  readonly make: (good: Good) => {
    readonly value?: Buffer | null;
    readonly headers?: Record<string, string | Buffer>;
    readonly id?: string;
  };
}

interface Good {
  readonly id: string;
  readonly value: Buffer;
  readonly schema: object;
  readonly flow: Flow;
}

/** Every way in which a request is malformed, each with the code of the error table that must come of it. */
const kinds: readonly Malformed[] = [
  { kind: 'garbage', code: 'SLUICE_FRAMING_UNKNOWN', make: () => ({ value: Buffer.from('{"subject": "not Avro at all"}') }) },
  { kind: 'empty', code: 'SLUICE_FRAMING_UNKNOWN', make: () => ({ value: Buffer.alloc(0) }) },
  { kind: 'null', code: 'SLUICE_VALUE_MISSING', make: () => ({ value: null }) },
  { kind: 'unknown fingerprint', code: 'SLUICE_SCHEMA_UNKNOWN', make: ({ value }) => ({ value: flipped(value, 2) }) },
  {
    kind: 'unknown registry id',
    code: 'SLUICE_SCHEMA_UNKNOWN',
    make: ({ value }) => ({ value: Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), value.subarray(10)]) }),
  },
  { kind: 'truncated', code: 'SLUICE_AVRO_TRUNCATED', make: ({ value }) => ({ value: value.subarray(0, Math.max(11, value.length - 3)) }) },
  { kind: 'trailing bytes', code: 'SLUICE_AVRO_INVALID', make: ({ value }) => ({ value: Buffer.concat([value, Buffer.from([1, 2, 3])]) }) },
  { kind: 'not a number', code: 'SLUICE_NUMBER_NOT_FINITE', make: (good) => ({ value: withNumber(good, NaN) }) },
  { kind: 'infinite', code: 'SLUICE_NUMBER_NOT_FINITE', make: (good) => ({ value: withNumber(good, Infinity) }) },
  {
    kind: 'oversized',
    code: 'SLUICE_RECORD_TOO_LARGE',
    make: ({ value, flow }) => ({ value: Buffer.concat([value], flow.request.maxBytes + 1) }),
  },
  { kind: 'deadline not a number', code: 'SLUICE_HEADER_INVALID', make: () => ({ headers: { [header.deadline]: 'soon' } }) },
  { kind: 'priority not text', code: 'SLUICE_HEADER_INVALID', make: () => ({ headers: { [header.priority]: Buffer.from([0xff, 0xfe]) } }) },
  { kind: 'deadline past', code: 'SLUICE_DEADLINE_PAST', make: () => ({ headers: { [header.deadline]: '0' } }) },
  { kind: 'duplicate id', code: 'SLUICE_DUPLICATE_ID', make: ({ id }) => ({ id }) },
];

/** The kinds of malformed requests that {@link withPoison} mixes in, in turn. */
export const poisonKinds: readonly { readonly kind: string; readonly code: ErrorCode }[] = kinds.map(({ kind, code }) => ({ kind, code }));

export interface PoisonOptions {
  readonly flow: Flow;
  /** The current request schema. */
  readonly schema: object;
  /** How many malformed records. */
  readonly count: number;
  readonly seed: number;
  /** Good events among which they are spread; of an endless stream, the first 10,000. */
  readonly events?: number | undefined;
}

/**
 * Mixes malformed records into a stream at seeded places, all kinds in turn. Good items pass through untouched and in order.
 * A duplicate follows its original within the same key, so it meets the partition that remembers the id.
 */
export function* withPoison(items: Iterable<StreamItem>, options: PoisonOptions): Generator<StreamItem, void, undefined> {
  const { flow, schema, count, seed, events = 10_000 } = options;
  const places = new Random(seed, 'poison');
  let made = 0;
  let seen = 0;
  let model: Good & { readonly key: Buffer | null };
  for (const item of items) {
    yield item;
    if (item.id !== undefined && item.value !== null && (item.key !== null || seen === 0)) {
      model = { id: item.id, value: item.value, key: item.key, schema, flow };
    }
    const left = events - seen++;
    // Whatever is still owed after the last good event follows it, so that the count is exact.
    while (made < count && (left <= 1 || places.uniform() * left < count - made)) yield malformed(model!, { number: made++, seed });
  }
}

function malformed(good: Good & { readonly key: Buffer | null }, { number, seed }: { number: number; seed: number }): StreamItem {
  const { kind, code, make } = kinds[number % kinds.length]!;
  const made = make(good);
  return {
    id: made.id ?? `poison-${seed}-${number}`,
    key: good.key,
    value: made.value === undefined ? good.value : made.value,
    headers: made.headers ?? {},
    truth: undefined,
    outcomeDelayMs: undefined,
    sample: undefined,
    poison: { kind, code },
  };
}

/** One malformed outcome record for `<flow>.outcomes` with the code that must come of it. */
export interface StrayOutcome {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly code: ErrorCode;
}

/** Outcomes that no prediction waits for, in turn: an unknown id, a label the flow does not have, bytes that are no outcome. */
export function strayOutcomes(flow: Flow, count: number, at: number): StrayOutcome[] {
  return Array.from({ length: count }, (_, number) => {
    const id = `stray-${number}`;
    const key = Buffer.from(id);
    const outcome = { id, label: flow.labels[0]!, at, origin: 'truth' as const };
    if (number % 3 === 0) return { key, value: encodeOutcome(outcome), code: 'SLUICE_OUTCOME_UNMATCHED' };
    if (number % 3 === 1) return { key, value: encodeOutcome({ ...outcome, label: 'no-such-label' }), code: 'SLUICE_OUTCOME_INVALID' };
    return { key, value: Buffer.from('not an outcome'), code: 'SLUICE_OUTCOME_INVALID' };
  });
}

function flipped(value: Buffer, at: number): Buffer {
  const copy = Buffer.from(value);
  copy[at]! ^= 0xff;
  return copy;
}

/** A record of the flow's own schema with one number that is none: valid Avro, yet nothing a model could read. */
function withNumber({ schema, flow }: Good, number: number): Buffer {
  const spoilt =
    flow.flow === 'mail'
      ? {
          receivedAt: 0,
          senderDomain: null,
          bodySize: 1,
          partCount: 1,
          linkCount: 0,
          htmlShare: 0,
          upperShare: number,
          subject: '',
          body: '',
        }
      : { camera: 'camera-0', brightness: number, coverage: 0, pixels: Buffer.alloc(784) };
  return encodeSingleObject(schema, spoilt);
}
