import type { Message } from 'kafkajs';
import type { Headers, InRecord, OutRecord, TopicPartition } from '../port.ts';
import type { RawMessage } from './internals.ts';
import type { Damage } from './record-batch/decode.ts';

/** A record as read: key, value and headers are slices of the fetch they came with. */
export function toRecord({ topic, partition }: TopicPartition, message: RawMessage): InRecord {
  const record = {
    topic,
    partition,
    offset: message.position ?? Number(message.offset),
    timestamp: message.time ?? Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: message.headers ?? {},
  };
  return message.damage === undefined ? record : { ...record, damage: wordsOf(message.damage, record.offset) };
}

const wordsOf = ({ reason, firstOffset }: Damage, last: number): string => `offsets ${firstOffset} to ${last}: ${reason}`;

/** A record to write: its partition is decided. */
export type Place = Omit<OutRecord, 'from' | 'partition'> & { readonly partition: number };

export function toMessage({ key, value, headers, partition, timestamp }: Place): Message {
  return {
    key,
    value,
    partition,
    // Our encoder takes numbers for times and leaves undefined headers out.
    timestamp: timestamp as string | undefined,
    headers: headers as Message['headers'],
  } as Message;
}

/**
 * Most bytes for one partition in one request. The client makes one record batch of them, which the broker takes or refuses
 * whole: max.message.bytes is 1 MiB unless a topic says otherwise.
 */
const maxBatchBytes = 700_000;

/** Splits records into requests none of which has too large a batch for any partition; order per partition is kept. */
export function rounds(records: readonly Place[]): Place[][] {
  const split: Place[][] = [];
  let round: Place[] = [];
  let bytes = new Map<string, number>();
  for (const record of records) {
    const place = `${record.topic}/${record.partition}`;
    const size = sizeOf(record);
    const sum = (bytes.get(place) ?? 0) + size;
    if (sum > maxBatchBytes && sum > size) {
      split.push(round);
      round = [];
      bytes = new Map([[place, size]]);
    } else bytes.set(place, sum);
    round.push(record);
  }
  if (round.length > 0) split.push(round);
  return split;
}

function sizeOf({ key, value, headers }: Place): number {
  let size = 80 + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) size += name.length + 4 + headerLength(headers[name]);
  return size;
}

function headerLength(value: Headers[string]): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'string') return value.length * 3;
  return Buffer.isBuffer(value) ? value.length : value.reduce((sum, one) => sum + headerLength(one), 0);
}
