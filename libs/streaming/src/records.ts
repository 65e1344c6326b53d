import { header, headerText, sourceText } from '@sluice/contracts';
import { SluiceError, type Source } from '@sluice/domain';
import { partitionFor } from './murmur2.ts';
import type { Headers, InRecord, OutRecord } from './port.ts';

/** The source coordinates stamped on a record by a pipe; undefined when it carries none or they are not readable. */
export function readSource(headers: Headers): Source | undefined {
  const text = headerText(headers, header.source);
  const parts = text === undefined ? null : /^(.+)\/(\d{1,10})\/(\d{1,16})$/.exec(text);
  return parts ? { topic: parts[1]!, partition: Number(parts[2]), offset: Number(parts[3]) } : undefined;
}

/** Headers of an output with the coordinates of its source; a stamp copied from the input is replaced. */
export function stamped(record: OutRecord): Headers {
  return { ...record.headers, [header.source]: sourceText(record.from) };
}

/**
 * The partition an output goes to. Always computed here and never by the client: its retry runs its partitioner again
 * over records that were written already, which moves keyless records (loss and duplicates).
 */
export function placeOf(record: OutRecord, partitions: number): number {
  if (record.partition !== undefined) return existing(record, record.partition, partitions);
  if (record.lane !== undefined) return record.lane % partitions;
  return record.key === null ? record.from.partition % partitions : partitionFor(record.key, partitions);
}

/** A partition that must be the one named is never replaced by another, and asking the broker for it again and again would not make it. */
function existing({ topic }: OutRecord, partition: number, partitions: number): number {
  if (partition < partitions) return partition;
  throw new SluiceError('SLUICE_TOPIC_MISMATCH', `topic ${topic} has ${partitions} partitions, so no partition ${partition}`);
}

/** A record that owns its bytes: what a fetch returns are slices of one large buffer, which a kept record would hold in memory. */
export function ownBytes(record: InRecord): InRecord {
  const headers: Record<string, Headers[string]> = {};
  for (const [name, value] of Object.entries(record.headers)) headers[name] = copyHeader(value);
  return { ...record, key: record.key && Buffer.from(record.key), value: record.value && Buffer.from(record.value), headers };
}

const copyOne = (value: Buffer | string): Buffer => Buffer.from(value as Buffer);

function copyHeader(value: Headers[string]): Headers[string] {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.map(copyOne) : copyOne(value as Buffer | string);
}
