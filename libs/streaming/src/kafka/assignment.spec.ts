import fc from 'fast-check';
import { assign, type GroupMember } from './assignment.ts';
import { stickyAssigner } from './sticky-assigner.ts';

const partitionsOf = (count: number) => Array.from({ length: count }, (_, partition) => ({ topic: 't', partition }));
/** Members that were started for the `life`-th time: the broker gives each start another id. */
const membersOf = (names: readonly string[], life: number): GroupMember[] =>
  names.map((instance, i) => ({ instance, memberId: `${(i * 7 + life * 13) % 97}-${instance}` }));
const holders = (members: readonly GroupMember[], count: number) => {
  const names = new Map(members.map(({ memberId, instance }) => [memberId, instance]));
  const of = new Map<number, string>();
  for (const [memberId, given] of assign(members, partitionsOf(count)))
    for (const { partition } of given) of.set(partition, names.get(memberId)!);
  return of;
};
const moved = (before: Map<number, string>, after: Map<number, string>) =>
  [...before].filter(([partition, name]) => after.get(partition) !== name).length;

const group = fc.record({
  names: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 }),
  count: fc.integer({ min: 1, max: 96 }),
});

describe('the assignment of partitions', () => {
  it('gives each partition to one member, and no member two more than another', () => {
    fc.assert(
      fc.property(group, ({ names, count }) => {
        const given = [...assign(membersOf(names, 0), partitionsOf(count)).values()];
        expect(
          given
            .flat()
            .map(({ partition }) => partition)
            .sort((a, b) => a - b),
        ).toEqual([...Array(count).keys()]);
        const sizes = given.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves nothing when members restart under their names, though the broker gives them other ids in another order', () => {
    fc.assert(
      fc.property(group, ({ names, count }) => {
        expect(moved(holders(membersOf(names, 0), count), holders(membersOf([...names].reverse(), 1), count))).toBe(0);
      }),
    );
  });

  it('moves little besides the share of a member that goes', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `router-${letter}`);
    const before = holders(membersOf(names, 0), 96);
    for (const gone of names) {
      const after = holders(
        membersOf(
          names.filter((name) => name !== gone),
          1,
        ),
        96,
      );
      // 16 were its own; dealing them out in turn, as the client's round robin does, moves about five sixths of all 96.
      expect(moved(before, after)).toBeLessThanOrEqual(32);
    }
  });

  it('keeps apart two members of one name, as during a rolling restart', () => {
    const members = [
      { memberId: '1', instance: 'same' },
      { memberId: '2', instance: 'same' },
    ];
    expect([...assign(members, partitionsOf(4)).values()].map(({ length }) => length)).toEqual([2, 2]);
  });
});

describe('the assigner', () => {
  it('carries the instance names through the group protocol', async () => {
    const cluster = { findTopicPartitionMetadata: () => partitionsOf(6).map(({ partition }) => ({ partitionId: partition })) } as never;
    const assigner = (name: string) => stickyAssigner(name)({ cluster } as never);
    const groupOf = (ids: readonly string[]) =>
      ['x', 'y'].map((name, i) => ({ memberId: ids[i]!, memberMetadata: assigner(name).protocol({ topics: ['t'] }).metadata }));
    const assignment = async (ids: readonly string[]) =>
      Object.fromEntries(
        (await assigner('x').assign({ members: groupOf(ids), topics: ['t'] } as never)).map((one) => [one.memberId, one.memberAssignment]),
      );
    const [first, second] = [await assignment(['1', '2']), await assignment(['9', '3'])];
    expect([second['9'], second['3']]).toEqual([first['1'], first['2']]);
  });
});
