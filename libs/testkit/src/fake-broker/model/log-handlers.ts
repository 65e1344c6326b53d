import { apis, type ApiName, type RequestOf } from '../protocol/apis.ts';
import { codes } from '../protocol/codes.ts';
import { newerApi, type ResponseOf } from '../protocol/newer-apis.ts';
import { headOf } from '../protocol/record-batch.ts';
import { placeOf, type Partition } from './cluster.ts';
import { each, hostOf, port, throttleTime, type Asked, type Handler } from './handler.ts';

/** The partition if this node leads it, else the error code. */
function led({ cluster, node }: Asked, { topic, partition }: { topic: string; partition: number }): Partition | number {
  const found = cluster.partitions.get(placeOf(topic, partition));
  if (found === undefined) return codes.unknownTopicOrPartition;
  return found.leader === node ? found : codes.notLeader;
}

const produce: Handler<'Produce'> = ({ transactionalId, topics }, asked) => ({
  throttleTime,
  topics: each(topics, (place, { records }) => {
    const details = { logAppendTime: -1, recordErrors: [], errorMessage: null };
    const refused = (errorCode: number) => ({ errorCode, baseOffset: -1, logStartOffset: -1, ...details });
    const partition = led(asked, place);
    if (typeof partition === 'number') return refused(partition);
    const batch = Buffer.from(records!);
    const { log } = partition;
    if (transactionalId !== null && batch.length > 61) {
      const { producerId, epoch } = headOf(batch);
      const mine = { id: transactionalId, producer: { producerId, epoch }, participant: placeOf(place.topic, place.partition) };
      const isOpen = log.hasOpen({ producerId, epoch });
      const admitted = isOpen ? codes.none : asked.isNewer ? asked.cluster.join(mine) : asked.cluster.verify(mine);
      if (admitted !== codes.none) return refused(admitted);
    }
    const { errorCode, base } = log.append(batch);
    if (errorCode === codes.none) asked.cluster.wake();
    return { errorCode, baseOffset: base, logStartOffset: log.start, ...details };
  }),
});

const fetchNow = (request: RequestOf<'Fetch'>, asked: Asked): { answer: ResponseOf<'Fetch'>; isWorthIt: boolean } => {
  let isWorthIt = false;
  let left = request.maxBytes;
  const topics = each(request.topics, (place, { fetchOffset, maxBytes }) => {
    const nothing = {
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      aborted: [],
      preferredReadReplica: -1,
      records: Buffer.alloc(0),
    };
    const partition = led(asked, place);
    if (typeof partition === 'number' || fetchOffset < partition.log.start || fetchOffset > partition.log.end) {
      isWorthIt = true;
      return { ...nothing, errorCode: typeof partition === 'number' ? partition : codes.offsetOutOfRange };
    }
    const { log } = partition;
    const limit = request.isolation === 1 ? log.stable : log.end;
    const { records, next } = log.read(fetchOffset, { limit, maxBytes: Math.min(maxBytes, Math.max(1, left)) });
    left -= records.length;
    if (records.length > 0) isWorthIt = true;
    const bounds = { highWatermark: log.end, lastStableOffset: log.stable, logStartOffset: log.start };
    return {
      ...nothing,
      ...bounds,
      errorCode: codes.none,
      aborted: request.isolation === 1 ? log.abortedIn(fetchOffset, next) : [],
      records,
    };
  });
  return { isWorthIt, answer: { throttleTime, errorCode: codes.none, sessionId: 0, topics } };
};

const fetch: Handler<'Fetch'> = async (request, asked) => {
  const until = Date.now() + request.maxWait;
  for (;;) {
    const { answer, isWorthIt } = fetchNow(request, asked);
    if (isWorthIt || Date.now() >= until) return answer;
    await asked.cluster.news(until - Date.now());
  }
};

const listOffsets: Handler<'ListOffsets'> = ({ topics, isolation }, asked) => ({
  throttleTime,
  topics: each(topics, (place, { timestamp }) => {
    const partition = led(asked, place);
    if (typeof partition === 'number') return { errorCode: partition, timestamp: -1, offset: -1 };
    const { start, end, stable } = partition.log;
    return { errorCode: codes.none, timestamp: -1, offset: timestamp === -2 ? start : isolation === 1 ? stable : end };
  }),
});

const metadata: Handler<'Metadata'> = ({ topics }, { cluster }) => {
  const live = [...cluster.live];
  const names = topics.length > 0 ? topics : cluster.topicNames();
  return {
    throttleTime,
    brokers: live.map((nodeId) => ({ nodeId, host: hostOf(nodeId), port, rack: null })),
    clusterId: 'simulation',
    controllerId: live[0] ?? -1,
    topics: names.map((topic) => {
      const partitions = cluster.partitionsOf(topic).map(({ partition, leader }) => ({
        ...{ errorCode: codes.none, partition, leader, replicas: [...cluster.nodes], isr: live, offline: [] },
      }));
      return { errorCode: partitions.length === 0 ? codes.unknownTopicOrPartition : codes.none, topic, isInternal: false, partitions };
    }),
  };
};

const createTopics: Handler<'CreateTopics'> = ({ topics }, { cluster }) => ({
  throttleTime,
  topics: topics.map(({ topic, partitions }) => ({
    ...{ topic, errorMessage: null, errorCode: cluster.createTopic(topic, partitions) ? codes.none : codes.topicAlreadyExists },
  })),
});

const apiVersions: Handler<'ApiVersions'> = (_, { cluster }) => {
  const range = (name: string, { key, version }: { key: number; version: number }) => {
    const newer = cluster.knowsNewer ? newerApi(name as ApiName) : undefined;
    return { key, minVersion: version, maxVersion: newer?.version ?? version };
  };
  return {
    ...{ throttleTime, errorCode: codes.none },
    versions: Object.entries(apis).map(([name, api]) => range(name, api)),
    finalized: [{ feature: 'transaction.version', maxLevel: cluster.transactionVersion, minLevel: cluster.transactionVersion }],
  };
};

export const logHandlers = {
  ApiVersions: apiVersions,
  Metadata: metadata,
  CreateTopics: createTopics,
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
} as const;
