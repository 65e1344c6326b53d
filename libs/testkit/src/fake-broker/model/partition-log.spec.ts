import { codes } from '../protocol/codes.ts';
import { batchOf, recordsOf } from '../protocol/record-batch.ts';
import { PartitionLog } from './partition-log.ts';

const write = (log: PartitionLog, { producer = 7, epoch = 0, sequence, count = 1, isTransactional = true }: { producer?: number; epoch?: number; sequence: number; count?: number; isTransactional?: boolean }) =>
  log.append(
    batchOf({
      ...{ producerId: producer, epoch, firstSequence: sequence, isTransactional, timestamp: 1 },
      records: Array.from({ length: count }, (_, i) => ({ key: null, value: Buffer.from(`${producer}-${sequence + i}`) })),
    }),
  ); // prettier-ignore
const end = (log: PartitionLog, producerId: number, commit: boolean, epoch = 0) => log.mark({ producerId, epoch, commit, timestamp: 1 });
const ok = (base: number) => ({ errorCode: codes.none, base });
const refused = (errorCode: number) => ({ errorCode, base: -1 });
const committed = (log: PartitionLog) => log.committed().map(({ value }) => String(value));

describe('the log of a fake broker', () => {
  it('acknowledges a batch that it has already, and appends it once: the rule that makes a reused sequence number lose records', () => {
    const log = new PartitionLog();
    expect(write(log, { sequence: 0, count: 2 })).toEqual(ok(0));
    expect(write(log, { sequence: 0, count: 2 })).toEqual(ok(0));
    expect(log.end).toBe(2);
  });

  it('remembers the last five batches of a producer, and takes an older one for out of order', () => {
    const log = new PartitionLog();
    for (let sequence = 0; sequence < 6; sequence++) write(log, { sequence });
    expect(write(log, { sequence: 1 })).toEqual(ok(1));
    expect(write(log, { sequence: 0 })).toEqual(refused(codes.outOfOrderSequence));
    expect(write(log, { sequence: 7 })).toEqual(refused(codes.outOfOrderSequence));
  });

  it('refuses an older epoch, and begins a newer one at sequence 0', () => {
    const log = new PartitionLog();
    write(log, { sequence: 0 });
    expect(write(log, { epoch: 1, sequence: 1 })).toEqual(refused(codes.outOfOrderSequence));
    expect(write(log, { epoch: 1, sequence: 0 })).toEqual(ok(1));
    expect(write(log, { epoch: 0, sequence: 1 })).toEqual(refused(codes.invalidProducerEpoch));
  });

  it('fences with the marker of a newer epoch', () => {
    const log = new PartitionLog();
    write(log, { sequence: 0 });
    end(log, 7, false, 1);
    expect(write(log, { epoch: 0, sequence: 1 })).toEqual(refused(codes.invalidProducerEpoch));
  });

  it('is stable up to the oldest open transaction, and lists those that were aborted in the order in which they ended', () => {
    const log = new PartitionLog();
    write(log, { producer: 1, sequence: 0 });
    write(log, { producer: 2, sequence: 0 });
    write(log, { producer: 3, sequence: 0 });
    expect(log.stable).toBe(0);
    end(log, 2, false);
    end(log, 1, false);
    expect(log.stable).toBe(2);
    end(log, 3, true);
    expect(log.stable).toBe(log.end);
    expect(log.abortedIn(0, 6).map(({ producerId }) => producerId)).toEqual([2, 1]);
    expect(committed(log)).toEqual(['3-0']);
  });

  it('refuses bytes whose checksum does not fit', () => {
    const bytes = batchOf({ timestamp: 1, records: [{ key: null, value: Buffer.from('a') }] });
    bytes[bytes.length - 2]! ^= 1;
    expect(new PartitionLog().append(bytes)).toEqual(refused(codes.corruptMessage));
  });

  it('forgets whole batches before an offset', () => {
    const log = new PartitionLog();
    write(log, { sequence: 0, count: 3, isTransactional: false });
    write(log, { sequence: 3, count: 3, isTransactional: false });
    log.expire(4);
    expect([log.start, log.end]).toEqual([3, 6]);
    expect(recordsOf(log.read(3, { limit: 6, maxBytes: 1 }).records).map(({ offset }) => offset)).toEqual([3, 4, 5]);
  });
});
