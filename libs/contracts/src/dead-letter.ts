import { SluiceError, type DeadLetter, type Source } from '@sluice/domain';
import { decodeDeadLetter, encodeDeadLetter } from './codecs.ts';
import { header, headerBytes, headerText, sourceText, type WireHeaders } from './headers.ts';
import { parseTopic } from './topics.ts';

/** The parts of a record that a dead letter keeps; an `InRecord` of `@sluice/streaming` is one. */
export interface RefusedRecord extends Source {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: WireHeaders;
}

export interface Refusal {
  readonly record: RefusedRecord;
  readonly error: SluiceError;
  /** App or stage that refused the record. */
  readonly stage: string;
  /** Topic of the dead letters. */
  readonly topic: string;
  /** How often processing was tried. */
  readonly attempts: number;
}

/** A record to write; structurally an `OutRecord` of `@sluice/streaming`. */
export interface DeadLetterOut {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: WireHeaders;
  readonly from: Source;
}

/** Messages quote bytes and names of producers; a header that grows with them could exceed what the broker takes. */
const longestMessage = 2_000;

/** The dead letter of a record: its own bytes and headers, with cause and origin in two more headers. */
export function deadLetter({ record, error, stage, topic, attempts }: Refusal): DeadLetterOut {
  const from: Source = { topic: record.topic, partition: record.partition, offset: record.offset };
  const kind = error.class === 'drop' ? 'drop' : 'reject';
  const about = encodeDeadLetter({
    code: error.code,
    class: kind,
    message: error.message.slice(0, longestMessage),
    stage,
    source: from,
    timestamp: record.timestamp,
    attempts: attempts + countOf(record, header.redrives) + countOf(record, header.attempts),
  });
  return {
    topic,
    key: record.key,
    value: record.value,
    headers: { ...record.headers, [header.deadLetter]: about, [header.class]: kind, [header.origin]: originOf(record) },
    from,
  };
}

/**
 * Why a record of a dead-letter topic is there.
 * @throws SluiceError SLUICE_AVRO_INVALID when it carries no readable `sluice-dead-letter` header.
 */
export function readDeadLetter(record: { readonly headers: WireHeaders }): DeadLetter {
  const about = headerBytes(record.headers, header.deadLetter);
  if (about === undefined) throw new SluiceError('SLUICE_AVRO_INVALID', `the record has no ${header.deadLetter} header`);
  return decodeDeadLetter(about);
}

/** What a header counts; attempts only where nobody but the apps writes. */
function countOf({ topic, headers }: RefusedRecord, name: string): number {
  if (name === header.attempts && parseTopic(topic)?.kind !== 'model') return 0;
  const count = Number(headerText(headers, name) ?? 0);
  return Number.isSafeInteger(count) ? count : 0;
}

/** Topics that anybody writes to start a way, so an origin header found there is not believed. */
function originOf(record: RefusedRecord): string {
  const kind = parseTopic(record.topic)?.kind;
  const carried = kind === 'requests' || kind === 'outcomes' ? undefined : headerText(record.headers, header.origin);
  return carried ?? sourceText(record);
}
