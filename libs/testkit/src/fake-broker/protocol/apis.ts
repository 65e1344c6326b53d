import {
  array,
  boolean,
  bytes,
  int16,
  int32,
  int64,
  int8,
  nullableString,
  string,
  struct,
  type Codec,
  type Fields,
  type Of,
} from './codec.ts';

/** One request of the protocol in one version: the highest that kafkajs 2.2.4 knows. What it learnt by patch is in newer-apis.ts. */
export interface Api<Request, Response> {
  readonly key: number;
  readonly version: number;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

type Value<F extends Fields> = { readonly [K in keyof F]: Of<F[K]> };

const api = <Q extends Fields, A extends Fields>(
  id: readonly [key: number, version: number],
  request: Q,
  response: A,
): Api<Value<Q>, Value<A>> => ({
  // prettier-ignore
  ...{ key: id[0], version: id[1], request: struct(request), response: struct(response) },
});

const throttle = { throttleTime: int32 };
const topics = <F extends Fields>(partition: F) =>
  array(struct({ topic: string, partitions: array(struct({ partition: int32, ...partition })) }));
const producer = { transactionalId: string, producerId: int64, producerEpoch: int16 };
const members = { groupId: string, generationId: int32, memberId: string };
const instance = { groupInstanceId: nullableString };
const errorCode = { errorCode: int16 };

/**
 * Field by field as kafka/clients/src/main/resources/common/message has them. A version is added by adding a row: the ranges
 * that ApiVersions reports are made from this table.
 */
export const apis = {
  Produce: api(
    [0, 7],
    { transactionalId: nullableString, acks: int16, timeout: int32, topics: topics({ records: bytes }) },
    { topics: topics({ errorCode: int16, baseOffset: int64, logAppendTime: int64, logStartOffset: int64 }), ...throttle },
  ),
  Fetch: api(
    [1, 11],
    {
      ...{ replicaId: int32, maxWait: int32, minBytes: int32, maxBytes: int32, isolation: int8, sessionId: int32, sessionEpoch: int32 },
      topics: topics({ leaderEpoch: int32, fetchOffset: int64, logStartOffset: int64, maxBytes: int32 }),
      forgotten: array(struct({ topic: string, partitions: array(int32) })),
      rackId: string,
    },
    {
      ...{ ...throttle, ...errorCode, sessionId: int32 },
      topics: topics({
        ...{ errorCode: int16, highWatermark: int64, lastStableOffset: int64, logStartOffset: int64 },
        aborted: array(struct({ producerId: int64, firstOffset: int64 })),
        ...{ preferredReadReplica: int32, records: bytes },
      }),
    },
  ),
  ListOffsets: api(
    [2, 3],
    { replicaId: int32, isolation: int8, topics: topics({ timestamp: int64 }) },
    { ...throttle, topics: topics({ errorCode: int16, timestamp: int64, offset: int64 }) },
  ),
  Metadata: api(
    [3, 6],
    { topics: array(string), allowAutoTopicCreation: boolean },
    {
      ...throttle,
      brokers: array(struct({ nodeId: int32, host: string, port: int32, rack: nullableString })),
      ...{ clusterId: nullableString, controllerId: int32 },
      topics: array(
        struct({
          ...{ errorCode: int16, topic: string, isInternal: boolean },
          partitions: array(
            struct({ errorCode: int16, partition: int32, leader: int32, replicas: array(int32), isr: array(int32), offline: array(int32) }),
          ),
        }),
      ),
    },
  ),
  OffsetCommit: api(
    [8, 5],
    { ...members, topics: topics({ offset: int64, metadata: nullableString }) },
    { ...throttle, topics: topics(errorCode) },
  ),
  OffsetFetch: api(
    [9, 4],
    { groupId: string, topics: topics({}) },
    { ...throttle, topics: topics({ offset: int64, metadata: nullableString, errorCode: int16 }), ...errorCode },
  ),
  FindCoordinator: api(
    [10, 2],
    { key: string, type: int8 },
    { ...throttle, ...errorCode, errorMessage: nullableString, nodeId: int32, host: string, port: int32 },
  ),
  JoinGroup: api(
    [11, 5],
    {
      ...{ groupId: string, sessionTimeout: int32, rebalanceTimeout: int32, memberId: string, ...instance, protocolType: string },
      protocols: array(struct({ name: string, metadata: bytes })),
    },
    {
      ...{ ...throttle, ...errorCode, generationId: int32, protocol: string, leaderId: string, memberId: string },
      members: array(struct({ memberId: string, ...instance, metadata: bytes })),
    },
  ),
  Heartbeat: api([12, 3], { ...members, ...instance }, { ...throttle, ...errorCode }),
  LeaveGroup: api(
    [13, 3],
    { groupId: string, members: array(struct({ memberId: string, ...instance })) },
    { ...throttle, ...errorCode, members: array(struct({ memberId: string, ...instance, ...errorCode })) },
  ),
  SyncGroup: api(
    [14, 3],
    { ...members, ...instance, assignments: array(struct({ memberId: string, assignment: bytes })) },
    { ...throttle, ...errorCode, assignment: bytes },
  ),
  ApiVersions: api(
    [18, 2],
    {},
    { ...errorCode, versions: array(struct({ key: int16, minVersion: int16, maxVersion: int16 })), ...throttle },
  ),
  CreateTopics: api(
    [19, 3],
    {
      topics: array(
        struct({
          ...{ topic: string, partitions: int32, replicationFactor: int16 },
          assignments: array(struct({ partition: int32, replicas: array(int32) })),
          configs: array(struct({ name: string, value: nullableString })),
        }),
      ),
      ...{ timeout: int32, validateOnly: boolean },
    },
    { ...throttle, topics: array(struct({ topic: string, ...errorCode, errorMessage: nullableString })) },
  ),
  InitProducerId: api(
    [22, 1],
    { transactionalId: nullableString, transactionTimeout: int32 },
    { ...throttle, ...errorCode, producerId: int64, producerEpoch: int16 },
  ),
  AddPartitionsToTxn: api(
    [24, 1],
    { ...producer, topics: array(struct({ topic: string, partitions: array(int32) })) },
    { ...throttle, topics: topics(errorCode) },
  ),
  AddOffsetsToTxn: api([25, 1], { ...producer, groupId: string }, { ...throttle, ...errorCode }),
  EndTxn: api([26, 1], { ...producer, commit: boolean }, { ...throttle, ...errorCode }),
  TxnOffsetCommit: api(
    [28, 1],
    {
      transactionalId: string,
      groupId: string,
      producerId: int64,
      producerEpoch: int16,
      topics: topics({ offset: int64, metadata: nullableString }),
    },
    { ...throttle, topics: topics(errorCode) },
  ),
} as const;

export type Apis = typeof apis;
export type ApiName = keyof Apis;
export type RequestOf<N extends ApiName> = Of<Apis[N]['request']>;

export const apiByKey: ReadonlyMap<number, ApiName> = new Map(Object.entries(apis).map(([name, { key }]) => [key, name as ApiName]));

/** Header of every request. */
export const requestHeader = struct({ key: int16, version: int16, correlationId: int32, clientId: nullableString });
