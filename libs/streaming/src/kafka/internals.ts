// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- projects that read these sources by name need the declarations too
/// <reference path="./kafkajs-internals.d.ts" />
/**
 * The parts of kafkajs that its public surface does not offer, with the types we rely on. The version is pinned and patched
 * (see patches/README.md); `assertPatched` looks at what it really finds.
 */
import Batch from 'kafkajs/src/consumer/batch.js';
import Cluster from 'kafkajs/src/cluster/index.js';
import filterAbortedMessages from 'kafkajs/src/consumer/filterAbortedMessages.js';
import loggers from 'kafkajs/src/loggers/index.js';
import createSendMessages from 'kafkajs/src/producer/sendMessages.js';
import Runner from 'kafkajs/src/consumer/runner.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import type { Damage } from './record-batch/decode.ts';

export interface RawMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  readonly isControlRecord?: boolean;
  /** Offset and time stamp as numbers, where our own decoder read the record. */
  readonly position?: number;
  readonly time?: number;
  readonly damage?: Damage | undefined;
  readonly batchContext?: {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
    readonly producerId: string;
    readonly inTransaction: boolean;
  };
}

export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  readonly messages: readonly RawMessage[];
}

export interface ClientBatch {
  readonly topic: string;
  readonly partition: number;
  readonly fetchedOffset: string | number;
  readonly messages: readonly RawMessage[];
  lastOffset(): string;
}

export interface PartitionOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

export interface ClientBroker {
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: readonly { topic: string; partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: readonly { topicName: string; partitions: readonly FetchedPartition[] }[] }>;
  listOffsets(request: {
    isolationLevel: number;
    topics: readonly { topic: string; partitions: readonly { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: readonly PartitionOffsets[] }>;
  offsetFetch(request: {
    groupId: string;
    topics: readonly { topic: string; partitions: readonly { partition: number }[] }[];
  }): Promise<{ responses: readonly PartitionOffsets[] }>;
}

export interface PartitionMetadata {
  readonly partitionId: number;
  readonly leader: number;
  readonly partitionErrorCode: number;
}

export interface ClientCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  findBroker(node: { nodeId: string | number }): Promise<ClientBroker>;
  /** Of a group, or with type 1 of a transactional id. */
  findGroupCoordinator(of: { groupId: string; coordinatorType?: 0 | 1 }): Promise<ClientBroker>;
  removeBroker(at: { host: string; port: number }): void;
}

interface Internals {
  readonly Batch: new (topic: string, fetchedOffset: string, data: FetchedPartition) => ClientBatch;
  readonly Cluster: new (options: object) => ClientCluster;
  readonly Runner: { readonly prototype: { readonly handleBatch: unknown } };
  readonly createLogger: (options: { level: number; logCreator: unknown }) => object;
  readonly createSendMessages: unknown;
  readonly filterAbortedMessages: (fetched: {
    messages: readonly RawMessage[];
    abortedTransactions: readonly AbortedTransaction[];
  }) => readonly RawMessage[];
  readonly socketFactory: () => unknown;
}

export const internals = {
  Batch,
  Cluster,
  Runner,
  createLogger: loggers.createLogger,
  createSendMessages,
  filterAbortedMessages,
  socketFactory,
} as unknown as Internals;

export const readUncommitted = 0;
export const readCommitted = 1;
