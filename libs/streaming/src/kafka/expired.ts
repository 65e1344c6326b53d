import { deadLetter, header } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import type { OutRecord, PipeSpec, TopicPartition } from '../port.ts';

/** Offsets that are gone: the first of them, and the first that still exists. */
export interface Gap {
  readonly from: number;
  readonly until: number;
}

/**
 * Says among the dead letters that retention took these offsets before they were read. One record stands for all of them, and is
 * committed with the offset that moves over the gap: no gap is passed in silence, and none is told twice.
 */
export function expiredLetter(spec: PipeSpec, { topic, partition }: TopicPartition, { from, until }: Gap): OutRecord {
  const error = new SluiceError(
    'SLUICE_RECORDS_EXPIRED',
    `offsets ${from} to ${until - 1} of ${topic}/${partition} expired before ${spec.group} read them`,
  );
  const headers = { [header.until]: String(until) };
  const record = { topic, partition, offset: from, timestamp: Date.now(), key: null, value: null, headers };
  return deadLetter({ record, error, stage: spec.stage ?? spec.group, topic: spec.deadLetters, attempts: 1 });
}
