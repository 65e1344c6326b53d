import createEosManager from 'kafkajs/src/producer/eosManager/index.js';
import createSendMessages from 'kafkajs/src/producer/sendMessages.js';

export const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  namespace: () => silent,
};

/** A transaction manager whose coordinator answers by script. */
export function managerOf(refusals: number, retry: object = { retries: 0 }) {
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

export async function runTransaction(manager: ReturnType<typeof createEosManager>): Promise<void> {
  manager.beginTransaction();
  await manager.addPartitionsToTransaction([{ topic: 't', partitions: [{ partition: 0 }] }]);
  await manager.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: 't', partitions: [{ partition: 0, offset: '1' }] }] });
  await manager.commit();
}

/** One broker whose produce requests meet `fates`, then succeed; what reaches its log is kept by first sequence, as brokers deduplicate. */
export function producerOf(fates: ('ok' | 'answer lost')[], retries = 0, onProduce?: (request: { producerEpoch: number }) => unknown) {
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
