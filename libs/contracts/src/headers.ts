import { isUtf8 } from 'node:buffer';
import { type EpochMs, type EventId, type Millis, type Source, SluiceError } from '@sluice/domain';

/** Headers as they stand on the wire; a header that occurs twice is an array. */
export type WireHeaders = Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;

/** Every header name Sluice reads or writes. */
export const header = {
  /** Avro Tag, on model topics. */
  tag: 'sluice-tag',
  /** On a model topic, on a record whose answer nobody waits for: it goes to the learner alone. Readable without a schema. */
  shadow: 'sluice-shadow',
  /** `topic/partition/offset` of the record an output derives from. */
  source: 'sluice-source',
  /** `topic/partition/offset` of the request (or outcome) that everything on its way derives from. */
  origin: 'sluice-origin',
  /** `reject` or `drop`, on dead-letter topics: readable without a schema. */
  class: 'sluice-class',
  /** Avro DeadLetter, on dead-letter topics. */
  deadLetter: 'sluice-dead-letter',
  /** On a dead letter that stands for several records: the offset after the last of them; its origin is the first. */
  until: 'sluice-until',
  /** On a record that was sent again after it was refused: where it stood at first, and how often it was sent again. */
  redriven: 'sluice-redriven',
  redrives: 'sluice-redrives',
  /** On a record that is to be tried again: how often its stage has tried it, and the time (milliseconds since 1970) it is put aside until. */
  attempts: 'sluice-attempts',
  notBefore: 'sluice-not-before',
  /** Which schema a record of `<flow>.facts` has: prediction, shadow or outcome. */
  fact: 'sluice-fact',
  ceId: 'ce_id',
  ceTime: 'ce_time',
  traceparent: 'traceparent',
  /** Milliseconds the request may take from its timestamp on. */
  deadline: 'deadline-ms',
  priority: 'priority',
  tenant: 'tenant',
} as const;

/** What a producer may say about a request; each part is optional. */
export interface RequestHeaders {
  /** 1 to 256 bytes of text without control characters. */
  readonly id?: EventId;
  /** Whole milliseconds from the request's timestamp, 0 to 2^31 - 1. */
  readonly deadlineMs?: Millis;
  /** 0 (lowest) to 9. */
  readonly priority?: number;
  /** 1 to 128 bytes of text without control characters. */
  readonly tenant?: string;
  /** RFC 3339 in the header. */
  readonly time?: EpochMs;
}

/** Coordinates as text, `topic/partition/offset`: the id of a request without `ce_id`, and what source and origin headers hold. */
export function sourceText({ topic, partition, offset }: Source): string {
  return `${topic}/${partition}/${offset}`;
}

/** The text of a header, the last one where it was sent twice; undefined when absent. */
export function headerText(headers: WireHeaders, name: string): string | undefined {
  const value = headers[name];
  const last = Array.isArray(value) ? value[value.length - 1] : value;
  return typeof last === 'string' || last === undefined ? last : (last as Buffer).toString('utf8');
}

/** The bytes of a header, the last one where it was sent twice; undefined when absent. */
export function headerBytes(headers: WireHeaders, name: string): Buffer | undefined {
  const value = headers[name];
  const last = Array.isArray(value) ? value[value.length - 1] : value;
  return typeof last === 'string' ? Buffer.from(last, 'latin1') : (last as Buffer | undefined);
}

/**
 * Reads the optional headers of a request.
 * @throws SluiceError SLUICE_HEADER_INVALID naming the header when one is sent twice, is not text, or is out of range.
 */
export function readRequestHeaders(headers: WireHeaders): RequestHeaders {
  const read: { -readonly [K in keyof RequestHeaders]: RequestHeaders[K] } = {};
  const id = single(headers, header.ceId);
  if (id !== undefined) read.id = label(id, header.ceId, 256);
  const deadline = single(headers, header.deadline);
  if (deadline !== undefined) read.deadlineMs = integer(deadline, header.deadline, 0x7fffffff);
  const priority = single(headers, header.priority);
  if (priority !== undefined) read.priority = integer(priority, header.priority, 9);
  const tenant = single(headers, header.tenant);
  if (tenant !== undefined) read.tenant = label(tenant, header.tenant, 128);
  const time = single(headers, header.ceTime);
  if (time !== undefined) read.time = timestamp(time);
  return read;
}

function single(headers: WireHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined || typeof value === 'string') return value;
  // A client may hand over null for a header without a value, whatever its types say.
  if (!Buffer.isBuffer(value)) throw invalid(name, Array.isArray(value) ? 'is sent more than once' : 'has no value');
  if (!isUtf8(value)) throw invalid(name, 'is not UTF-8 text');
  return value.toString('utf8');
}

function label(text: string, name: string, most: number): string {
  if (text.length === 0) throw invalid(name, 'is empty');
  if (Buffer.byteLength(text) > most) throw invalid(name, `is longer than ${most} bytes`);

  if (/[\u0000-\u001f\u007f]/.test(text)) throw invalid(name, 'contains a control character');
  return text;
}

function integer(text: string, name: string, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value <= most)) throw invalid(name, `must be a whole number from 0 to ${most}, in decimal digits`);
  return value;
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

function timestamp(text: string): EpochMs {
  const time = rfc3339.test(text) ? Date.parse(text.toUpperCase()) : NaN;
  if (Number.isNaN(time)) throw invalid(header.ceTime, 'is not an RFC 3339 time such as 2026-01-31T12:00:00Z');
  return time;
}

function invalid(name: string, fault: string): SluiceError {
  return new SluiceError('SLUICE_HEADER_INVALID', `header ${name} ${fault}`);
}
