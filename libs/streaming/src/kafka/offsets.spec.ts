import { committedBy, endsOf, latest } from './offsets.ts';
import type { ClientBroker, ClientCluster, PartitionOffsets } from './internals.ts';

type Asked = { readonly topics: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number }[] }[] };

/** Two brokers that lead the even and the odd partitions; an offset is 100 times its partition, and 7 more in topic b. What was asked of whom. */
function twoBrokers() {
  const asked: string[] = [];
  const answer = ({ topics }: Asked): { responses: PartitionOffsets[] } => ({
    responses: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, offset: String(100 * partition + (topic === 'b' ? 7 : 0)) })),
    })),
  });
  const broker = (name: string): ClientBroker => ({
    fetch: () => Promise.reject(new Error('not asked for')),
    listOffsets: async (request) => (asked.push(name), answer(request)),
    offsetFetch: async (request) => (asked.push(`group ${request.groupId}`), answer(request)),
  });
  const [even, odd] = [broker('even'), broker('odd')];
  const cluster: Partial<ClientCluster> = {
    addMultipleTargetTopics: async () => undefined,
    findTopicPartitionMetadata: () => [0, 1, 2].map((partitionId) => ({ partitionId, leader: partitionId % 2, partitionErrorCode: 0 })),
    findBroker: async ({ nodeId }) => (nodeId === 0 ? even : odd),
    findGroupCoordinator: async () => even,
  };
  return { asked, cluster: cluster as ClientCluster };
}

const partitions = [
  { topic: 'a', partition: 2 },
  { topic: 'b', partition: 0 },
  { topic: 'a', partition: 1 },
  { topic: 'b', partition: 2 },
];

describe('offsets of many partitions', () => {
  it('come in their order, with one request to each broker that leads some', async () => {
    const { asked, cluster } = twoBrokers();
    expect(await endsOf(cluster, partitions, { timestamp: latest, isolationLevel: 1 })).toEqual([200, 7, 100, 207]);
    expect(asked.sort()).toEqual(['even', 'odd']);
  });

  it('that a group has committed come in one request', async () => {
    const { asked, cluster } = twoBrokers();
    expect(await committedBy(cluster, 'g', partitions)).toEqual([200, 7, 100, 207]);
    expect(asked).toEqual(['group g']);
  });

  it('are -1 where nobody says anything', async () => {
    const { cluster } = twoBrokers();
    const silent = { ...cluster, findGroupCoordinator: async () => ({ offsetFetch: async () => ({ responses: [] }) }) };
    expect(await committedBy(silent as unknown as ClientCluster, 'g', partitions)).toEqual([-1, -1, -1, -1]);
  });
});
