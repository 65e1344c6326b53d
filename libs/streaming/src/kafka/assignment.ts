import { murmur3 } from '@sluice/domain';
import type { TopicPartition } from '../port.ts';

/** A member of a group as the assignment sees it. */
export interface GroupMember {
  /** Given by the broker, anew at each start. */
  readonly memberId: string;
  /** Given by the operator: the same after a restart. */
  readonly instance: string;
}

const encoder = new TextEncoder();
/** The score of a pair is a hash of both names and of nothing else. */
const scoreOf = (instance: string, { topic, partition }: TopicPartition): number =>
  murmur3(encoder.encode(`${instance}\n${topic}/${partition}`), 0);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Gives each partition to the member that scores highest for it (rendezvous hashing: Thaler, Ravishankar 1998) and has room:
 * no member holds two partitions more than another. A function of names alone, so that a restart under the same name moves
 * nothing, and a member that goes or comes moves little besides its own share.
 *
 * @returns partitions by member id; every member is in it.
 */
export function assign(members: readonly GroupMember[], partitions: readonly TopicPartition[]): Map<string, TopicPartition[]> {
  const ordered = [...members].sort((a, b) => byText(a.instance, b.instance) || byText(a.memberId, b.memberId));
  const given = new Map(ordered.map(({ memberId }) => [memberId, [] as TopicPartition[]]));
  if (ordered.length === 0) return given;
  const floor = Math.floor(partitions.length / ordered.length);
  let larger = partitions.length % ordered.length;
  const pairs = ordered.flatMap(({ memberId, instance }) =>
    partitions.map((partition, index) => ({ memberId, partition, index, score: scoreOf(instance, partition) })),
  );
  // The sort is stable: of two equal scores the first member by name wins, on every member alike.
  pairs.sort((a, b) => b.score - a.score);
  const taken = new Set<number>();
  for (const { memberId, partition, index } of pairs) {
    if (taken.has(index)) continue;
    const mine = given.get(memberId)!;
    if (mine.length > floor || (mine.length === floor && larger === 0)) continue;
    if (mine.length === floor) larger--;
    mine.push(partition);
    taken.add(index);
  }
  return given;
}
