import type { TopicPartition } from '../port.ts';
import type { ClientBroker, ClientCluster, PartitionOffsets } from './internals.ts';

/** Timestamps that ListOffsets understands as the two ends of a log. */
export const earliest = -2;
export const latest = -1;

export interface End {
  readonly timestamp: typeof earliest | typeof latest;
  readonly isolationLevel: number;
}

/** One end of the log of each partition, in their order: one request to each broker that leads some of them. */
export async function endsOf(cluster: ClientCluster, partitions: readonly TopicPartition[], end: End): Promise<number[]> {
  await cluster.addMultipleTargetTopics([...new Set(partitions.map(({ topic }) => topic))]);
  const led = Map.groupBy(partitions, (of) => leaderOf(cluster, of));
  const asked = [...led].map(async ([leader, some]) => {
    const broker = await cluster.findBroker({ nodeId: leader });
    return broker.listOffsets(requestOf(some, end));
  });
  return inOrder(
    partitions,
    (await Promise.all(asked)).flatMap(({ responses }) => responses),
  );
}

/** What the group has committed of each partition, in their order, in one request; -1 where it has nothing. */
export async function committedBy(cluster: ClientCluster, group: string, partitions: readonly TopicPartition[]): Promise<number[]> {
  const coordinator = await cluster.findGroupCoordinator({ groupId: group });
  const topics = byTopic(partitions, (partition) => ({ partition }));
  const { responses } = await coordinator.offsetFetch({ groupId: group, topics });
  return inOrder(partitions, responses);
}

function leaderOf(cluster: ClientCluster, { topic, partition }: TopicPartition): number {
  return cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
}

function requestOf(partitions: readonly TopicPartition[], { timestamp, isolationLevel }: End): Parameters<ClientBroker['listOffsets']>[0] {
  return { isolationLevel, topics: byTopic(partitions, (partition) => ({ partition, timestamp })) };
}

function byTopic<T>(partitions: readonly TopicPartition[], entry: (partition: number) => T): { topic: string; partitions: T[] }[] {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return [...topics].map(([topic, some]) => ({ topic, partitions: some.map(({ partition }) => entry(partition)) }));
}

function inOrder(partitions: readonly TopicPartition[], responses: readonly PartitionOffsets[]): number[] {
  const found = new Map<string, number>();
  for (const { topic, partitions: some } of responses) {
    for (const { partition, offset } of some) found.set(`${topic}/${partition}`, Number(offset));
  }
  return partitions.map(({ topic, partition }) => found.get(`${topic}/${partition}`) ?? -1);
}
