import type { ApiName, RequestOf } from '../protocol/apis.ts';
import type { ResponseOf } from '../protocol/newer-apis.ts';
import type { Cluster, CoordinatorType } from './cluster.ts';

/** The node that was asked, and the cluster it is part of. */
export interface Asked {
  readonly cluster: Cluster;
  readonly node: number;
  /** Whether the request came in its newer version: partitions and offsets are added to the transaction, and its end bumps the epoch. */
  readonly isNewer: boolean;
}

export type Handler<N extends ApiName> = (request: RequestOf<N>, asked: Asked) => ResponseOf<N> | Promise<ResponseOf<N>>;

export const throttleTime = 0;
export const port = 9092;
export const hostOf = (node: number): string => `broker-${node}`;
export const addressOf = (node: number): string => `${hostOf(node)}:${port}`;

/** Answers for each partition of a request; keeps the request's shape. */
export function each<P extends { partition: number }, A extends object>(
  topics: readonly { topic: string; partitions: readonly P[] }[],
  answer: (place: { topic: string; partition: number }, asked: P) => A,
) {
  return topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((one) => ({ partition: one.partition, ...answer({ topic, partition: one.partition }, one) })),
  }));
}

export const coordination = ({ cluster, node }: Asked, type: CoordinatorType, key: string): number => cluster.coordination(type, key, node);
