import OffsetManager from 'kafkajs/src/consumer/offsetManager/index.js';
import { silent } from '../../../testing/scripted-client.ts';
import { internals, type RawMessage } from '../internals.ts';

const message = (offset: number, producerId: number, more: Partial<RawMessage> = {}): RawMessage => ({
  offset: String(offset),
  timestamp: '0',
  key: null,
  value: null,
  isControlRecord: false,
  batchContext: { firstOffset: String(offset), lastOffsetDelta: 0, producerId: String(producerId), inTransaction: true },
  ...more,
});
const abortMarker = (offset: number, producerId: number) => message(offset, producerId, { key: Buffer.alloc(4), isControlRecord: true });
const aborted = (producerId: number, firstOffset: number) => ({ producerId: String(producerId), firstOffset: String(firstOffset) });

const delivered = (messages: RawMessage[], abortedTransactions: ReturnType<typeof aborted>[]) =>
  internals
    .filterAbortedMessages({ messages, abortedTransactions })
    .filter((one) => !one.isControlRecord)
    .map((one) => Number(one.offset));

describe('patch 001, read-committed leak', () => {
  it('keeps every record away when several aborted transactions began before the first message', () => {
    expect(delivered([message(5, 3), message(6, 2), message(7, 1)], [aborted(1, 1), aborted(2, 2), aborted(3, 3)])).toEqual([]);
  });

  it('does not rely on the order of the list of aborted transactions', () => {
    const messages = [message(1, 1), message(2, 2), abortMarker(3, 1), abortMarker(4, 2)];
    expect(delivered(messages, [aborted(2, 2), aborted(1, 1)])).toEqual([]);
  });

  it('does not take a data record whose key is four zero bytes for the end of a transaction', () => {
    expect(delivered([message(1, 1, { key: Buffer.alloc(4) }), message(2, 1), abortMarker(3, 1)], [aborted(1, 1)])).toEqual([]);
  });

  it('delivers what the same producer writes after its abort, and everything of others', () => {
    expect(delivered([message(1, 1), message(2, 2), abortMarker(3, 1), message(4, 1)], [aborted(1, 1)])).toEqual([2, 4]);
  });
});

describe('patch 005, fetched offset in batch events', () => {
  it('tells where the fetch of a batch began, also of one that holds nothing to read', async () => {
    const events: { fetchedOffset?: unknown }[] = [];
    const Runner = internals.Runner as unknown as new (options: object) => { running: boolean; handleBatch(batch: unknown): Promise<void> };
    const consumerGroup = { resolveOffset: () => undefined, heartbeat: async () => undefined };
    const instrumentationEmitter = { emit: (_: string, payload: object) => events.push(payload) };
    const runner = new Runner({ logger: silent, consumerGroup, instrumentationEmitter, autoCommit: false, concurrency: 1 });
    runner.running = true;
    const data = { partition: 0, highWatermark: '9', abortedTransactions: [], messages: [abortMarker(8, 1)] };
    await runner.handleBatch(new internals.Batch('t', '7', data));
    expect(events[0]).toMatchObject({ batchSize: 0, lastOffset: '8', fetchedOffset: '7' });
  });
});

interface ClientRunner {
  readonly running: boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
}

describe('patch 016, stopped join', () => {
  it('leaves the group that it joined after it was stopped, and does not run', async () => {
    let join!: () => void;
    const calls: string[] = [];
    const consumerGroup = {
      connect: async () => undefined,
      joinAndSync: () => new Promise<void>((resolve) => (join = resolve)),
      leave: async () => void calls.push('left'),
    };
    const onCrash = (error: Error) => void calls.push(String(error));
    const Runner = internals.Runner as unknown as new (options: object) => ClientRunner;
    const runner = new Runner({ logger: silent, consumerGroup, onCrash, concurrency: 1 });
    const started = runner.start();
    await Promise.resolve();
    await runner.stop();
    join();
    await started;
    expect({ running: runner.running, calls }).toEqual({ running: false, calls: ['left'] });
  });
});

describe('patch 018, reset in silence', () => {
  it('reads on from the beginning of a log whose records expired and leaves what the group has committed as it is', async () => {
    const commits: unknown[] = [];
    const cluster = {
      defaultOffset: () => -2,
      committedOffsets: () => ({}),
      fetchTopicsOffset: async () => [{ topic: 't', partitions: [{ partition: 0, offset: '40' }] }],
    };
    const coordinator = { isConnected: () => true, offsetCommit: async (request: unknown) => void commits.push(request) };
    const manager = new OffsetManager({
      ...{ cluster, coordinator, groupId: 'g', memberId: 'm', generationId: 1, autoCommit: false },
      ...{ memberAssignment: { t: [0] }, topicConfigurations: { t: { fromBeginning: true } } },
    });
    await manager.setDefaultOffset({ topic: 't', partition: 0 });
    expect(commits).toEqual([]);
    expect(String(manager.nextOffset('t', 0))).toBe('40');
  });
});
