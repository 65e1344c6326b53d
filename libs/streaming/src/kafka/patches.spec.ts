import createEosManager from 'kafkajs/src/producer/eosManager/index.js';
import groupMessagesPerPartition from 'kafkajs/src/producer/groupMessagesPerPartition.js';
import createSendMessages from 'kafkajs/src/producer/sendMessages.js';
import OffsetManager from 'kafkajs/src/consumer/offsetManager/index.js';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { assertPatched } from './assert-patched.ts';
import { internals, type RawMessage } from './internals.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, namespace: () => silent };

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

describe('patch 002, idle timer', () => {
  it('schedules nothing while no request waits', () => {
    jest.useFakeTimers();
    try {
      const queue = new RequestQueue({ logger: silent, maxInFlightRequests: 1, requestTimeout: 1_000, clientId: 'c', broker: 'b' });
      queue.checkPendingRequests();
      expect(jest.getTimerCount()).toBe(0);
      queue.throttledUntil = Date.now() + 50;
      queue.push({ entry: { correlationId: 1 }, expectResponse: true, sendRequest: () => undefined });
      expect(jest.getTimerCount()).toBe(1);
      queue.destroy();
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('patch 003, linear grouping', () => {
  it('groups without copying what it has grouped so far', () => {
    const iterator = Array.prototype[Symbol.iterator];
    let copied = 0;
    Array.prototype[Symbol.iterator] = function* (this: unknown[]) {
      for (let i = 0; i < this.length; i++) yield (copied++, this[i]);
    } as typeof iterator;
    try {
      const messages = Array.from({ length: 300 }, (_, i) => ({ partition: i % 2 }));
      const partitioner = ({ message: { partition } }: { message: { partition: number } }) => partition;
      const grouped = groupMessagesPerPartition({ topic: 't', partitionMetadata: [{}, {}], messages, partitioner });
      const copiedByThen = copied;
      expect(grouped[0].length + grouped[1].length).toBe(300);
      expect(copiedByThen).toBeLessThan(10);
    } finally {
      Array.prototype[Symbol.iterator] = iterator;
    }
  });
});

/** A transaction manager whose coordinator answers by script. */
function managerOf(refusals: number, retry: object = { retries: 0 }) {
  const calls = { found: 0, added: 0, offsets: 0 };
  let left = refusals;
  const answer = async () => {
    if (left-- > 0) throw Object.assign(new Error('concurrent'), { type: 'CONCURRENT_TRANSACTIONS' });
    left = refusals;
  };
  const broker = {
    isConnected: () => true,
    initProducerId: async () => ({ producerId: 1, producerEpoch: 0 }),
    addPartitionsToTxn: () => (calls.added++, answer()),
    addOffsetsToTxn: () => (calls.offsets++, answer()),
    txnOffsetCommit: async (): Promise<void> => undefined,
    endTxn: async (): Promise<object | undefined> => undefined,
    versions: {},
  };
  const findGroupCoordinator = async () => (calls.found++, broker);
  const cluster = { retry, findGroupCoordinator, refreshMetadataIfNecessary: async () => undefined };
  return { manager: createEosManager({ logger: silent, cluster, transactional: true, transactionalId: 'id' }), calls, broker };
}

async function runTransaction(manager: ReturnType<typeof createEosManager>): Promise<void> {
  manager.beginTransaction();
  await manager.addPartitionsToTransaction([{ topic: 't', partitions: [{ partition: 0 }] }]);
  await manager.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 't', partitions: [{ partition: 0, offset: '1' }] }] });
  await manager.commit();
}

describe('patch 004, concurrent transactions', () => {
  it('asks again while the markers of the previous transaction are written, for partitions and for offsets', async () => {
    const { manager, calls } = managerOf(3);
    await manager.initProducerId();
    await runTransaction(manager);
    expect(calls).toMatchObject({ added: 4, offsets: 4 });
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

describe('patch 006, coordinator cache', () => {
  it('looks each coordinator up once for any number of transactions', async () => {
    const { manager, calls } = managerOf(0);
    await manager.initProducerId();
    for (let i = 0; i < 5; i++) await runTransaction(manager);
    // One for the transaction, found by the initialisation, and one for the group.
    expect(calls.found).toBe(2);
  });
});

/** One broker whose produce requests meet `fates`, then succeed; what reaches its log is kept by first sequence, as brokers deduplicate. */
function producerOf(fates: ('ok' | 'answer lost')[], retries = 0, onProduce?: (request: { producerEpoch: number }) => unknown) {
  let epoch = 0;
  const log = new Map<number, string[]>();
  const broker = {
    nodeId: 1,
    isConnected: () => true,
    initProducerId: async () => ({ producerId: 1, producerEpoch: epoch }),
    endTxn: async () => ({ producerId: 1, producerEpoch: ++epoch }),
    versions: { transactionsV2: true },
    async produce({
      topicData,
      producerEpoch,
    }: {
      producerEpoch: number;
      topicData: { partitions: { partition: number; firstSequence: number; messages: { value: string }[] }[] }[];
    }) {
      await onProduce?.({ producerEpoch });
      const { firstSequence, messages } = topicData[0]!.partitions[0]!;
      // An acknowledgement without an append, where the sequence is known already.
      if (!log.has(firstSequence))
        log.set(
          firstSequence,
          messages.map(({ value }) => value),
        );
      if ((fates.shift() ?? 'ok') === 'answer lost')
        throw Object.assign(new Error('timed out'), { name: 'KafkaJSRequestTimeoutError', retriable: true });
      return { topics: [{ topicName: 't', partitions: [{ partition: 0, errorCode: 0, baseOffset: '0' }] }] };
    },
  };
  const cluster = {
    retry: { retries: 0 },
    targetTopics: new Set(['t']),
    isConnected: () => true,
    addMultipleTargetTopics: async () => undefined,
    refreshMetadata: async () => undefined,
    refreshMetadataIfNecessary: async () => undefined,
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
    findLeaderForPartitions: () => ({ 1: [0] }),
    findBroker: async () => broker,
    findControllerBroker: async () => broker,
    findGroupCoordinator: async () => broker,
  };
  const eosManager = createEosManager({ logger: silent, cluster, transactional: onProduce !== undefined, transactionalId: 'id' });
  const retrier = async (attempt: (bail: (e: Error) => never) => unknown) => {
    const bail = (e: Error) => {
      throw e;
    };
    for (let left = retries; ; left--) {
      try {
        return await attempt(bail);
      } catch (e) {
        if (left === 0) throw e;
      }
    }
  };
  const sendMessages = createSendMessages({ logger: silent, cluster, partitioner: () => 0, eosManager, retrier });
  const send = (value: string) => sendMessages({ acks: -1, topicMessages: [{ topic: 't', messages: [{ value }] }] });
  return { eosManager, send, values: () => [...log.values()].flat() };
}

describe('patch 008, unsettled send', () => {
  it('refuses a send that waited for one whose answer was lost: it would be taken for a repetition and dropped', async () => {
    const { eosManager, send, values } = producerOf(['answer lost']);
    await eosManager.initProducerId();
    const [first, second] = await Promise.allSettled([send('a'), send('b')]);
    expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
    expect(String((second as PromiseRejectedResult).reason)).toMatch(/Use a new producer/);
    await expect(send('c')).rejects.toThrow('Use a new producer');
    expect(values()).toEqual(['a']);
  });

  it('lets the same send try again, and goes on after it was acknowledged', async () => {
    const { eosManager, send, values } = producerOf(['answer lost'], 1);
    await eosManager.initProducerId();
    await send('a');
    await send('b');
    expect(values()).toEqual(['a', 'b']);
  });

  it('begins no transaction on a producer with an unsettled send', async () => {
    const { manager } = managerOf(0);
    await manager.initProducerId();
    manager.markUnsettled({});
    expect(() => manager.beginTransaction()).toThrow('Use a new producer');
  });
});

describe('patch 009, names of coordinator errors', () => {
  it.each(['GROUP_LOAD_IN_PROGRESS', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP'])(
    'asks again after %s',
    async (type) => {
      const { manager, broker } = managerOf(0, { retries: 2, initialRetryTime: 1, factor: 0 });
      let refusals = 1;
      broker.txnOffsetCommit = async () => {
        if (refusals-- > 0) throw Object.assign(new Error(type), { type, retriable: true });
      };
      await manager.initProducerId();
      await runTransaction(manager);
      expect(refusals).toBe(-1);
    },
  );
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

describe('patch 017, transaction retry', () => {
  it('tries the steps of a transaction as often as the client was told to', async () => {
    const { manager, calls, broker } = managerOf(0, { retries: 6, initialRetryTime: 1, factor: 0 });
    expect(new internals.Cluster({ brokers: ['localhost:1'], logger: silent, retry: { retries: 6 } })).toHaveProperty('retry', {
      retries: 6,
    });
    broker.initProducerId = async () => {
      calls.added++;
      throw Object.assign(new Error('loading'), { type: 'GROUP_LOAD_IN_PROGRESS', retriable: true });
    };
    await expect(manager.initProducerId()).rejects.toThrow('loading');
    expect(calls.added).toBe(7);
  });
});

describe('the bus', () => {
  it('finds the client patched', () => {
    expect(assertPatched).not.toThrow();
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

describe('patch 019, transactions of version 2', () => {
  /** As `managerOf`, where the cluster speaks version 2: each end answers with the next epoch of producer 1. */
  function managerOfV2(refusals = 0) {
    const { manager, calls, broker } = managerOf(0);
    let [epoch, left] = [0, refusals];
    const sent: object[] = [];
    const answer = (request: object) => {
      sent.push(request);
      if (left-- > 0) throw Object.assign(new Error('concurrent'), { type: 'CONCURRENT_TRANSACTIONS' });
      left = refusals;
    };
    Object.assign(broker, {
      versions: { transactionsV2: true },
      produce: async (request: object) => answer(request),
      txnOffsetCommit: async (request: object) => answer(request),
      endTxn: async (request: object) => {
        sent.push(request);
        return { producerId: '1', producerEpoch: ++epoch };
      },
    });
    const produce = () =>
      manager.produceWith(() => (broker as unknown as { produce: (r: object) => unknown }).produce(manager.getIdentity()));
    return { manager, calls, sent, produce };
  }

  it('adds neither partitions nor offsets, and gives each transaction the epoch that ended the one before and sequence numbers from 0', async () => {
    const { manager, calls, sent } = managerOfV2();
    await manager.initProducerId();
    for (let i = 0; i < 2; i++) {
      expect(manager.getSequence('t', 0)).toBe(0);
      manager.updateSequence('t', 0, 5);
      await runTransaction(manager);
    }
    expect(calls).toMatchObject({ added: 0, offsets: 0 });
    const v2 = (producerEpoch: number) => expect.objectContaining({ producerEpoch, isV2: true });
    expect(sent).toEqual([v2(0), v2(0), v2(1), v2(1)]);
    expect(manager.getIdentity()).toMatchObject({ producerId: '1', producerEpoch: 2 });
    expect(manager.getSequence('t', 0)).toBe(0);
  });

  it('asks again while the markers of the previous transaction are written, for records and for offsets', async () => {
    const { manager, sent, produce } = managerOfV2(2);
    await manager.initProducerId();
    manager.beginTransaction();
    await manager.addPartitionsToTransaction([{ topic: 't', partitions: [{ partition: 0 }] }]);
    await produce();
    expect(sent).toHaveLength(3);
    await manager.sendOffsets({ consumerGroupId: 'g', topics: [] });
    expect(sent).toHaveLength(6);
  });

  it('ends no transaction that is empty', async () => {
    const { manager, sent } = managerOfV2();
    await manager.initProducerId();
    manager.beginTransaction();
    await manager.abort();
    expect(sent).toEqual([]);
  });

  it('keeps the epoch of a send for its retry, so that it cannot land in the next transaction', async () => {
    const epochs: number[] = [];
    const { eosManager, send } = producerOf(['answer lost'], 1, async ({ producerEpoch }) => {
      epochs.push(producerEpoch);
      if (epochs.length > 1) return;
      // Whoever commits without waiting for what it sent.
      await eosManager.commit();
      eosManager.beginTransaction();
    });
    await eosManager.initProducerId();
    eosManager.beginTransaction();
    await send('a');
    expect([...epochs, eosManager.getProducerEpoch()]).toEqual([0, 0, 1]);
  });
});
