import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import type { TopicPartition } from '../port.ts';
import { assign, type GroupMember } from './assignment.ts';

const version = 0;

/** The assigner of our pipes. It tells the group leader this process's instance name, and assigns by names when it is the leader. */
export function stickyAssigner(instance: string): PartitionAssigner {
  return ({ cluster }) => ({
    name: 'SluiceSticky',
    version,
    protocol: ({ topics }) => ({
      name: 'SluiceSticky',
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.from(instance) }),
    }),
    async assign({ members, topics }) {
      const known = members.map(({ memberId, memberMetadata }): GroupMember => ({
        memberId,
        instance: instanceOf(memberMetadata) ?? memberId,
      }));
      const partitions = topics.flatMap((topic) =>
        cluster.findTopicPartitionMetadata(topic).map(({ partitionId: partition }): TopicPartition => ({ topic, partition })),
      );
      return [...assign(known, partitions)].map(([memberId, given]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment: byTopic(given), userData: Buffer.alloc(0) }),
      }));
    },
  });
}

/** Undefined for a member that tells no name. */
function instanceOf(metadata: Buffer): string | undefined {
  const name = AssignerProtocol.MemberMetadata.decode(metadata)?.userData?.toString();
  return name || undefined;
}

function byTopic(partitions: readonly TopicPartition[]): Record<string, number[]> {
  const assignment: Record<string, number[]> = {};
  for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition);
  return assignment;
}
