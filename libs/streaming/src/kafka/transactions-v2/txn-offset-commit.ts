import { FlexibleReader, FlexibleWriter } from './flexible.ts';
import { assertNone, throttled, type Producer, type Request } from './request.ts';

/** Who commits offsets, as its group knows it (KIP-447): the broker refuses them from another generation. */
export interface GroupMember {
  readonly generation: number;
  readonly member: string;
  readonly instance: string | null;
}

/** Offsets to commit with the transaction: per partition the next one to read. */
export interface Commit extends Producer {
  readonly groupId: string;
  /** Left out: nobody in particular, and the transactional id alone fences. */
  readonly by?: GroupMember;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly metadata?: string | null }[];
  }[];
}

/** TxnOffsetCommit, version 5: the broker adds the offsets of the group to the transaction. */
export const txnOffsetCommit = (commit: Commit): Request<Answer> => ({
  request: { apiKey: 28, apiVersion: 5, apiName: 'TxnOffsetCommit', encode: async () => encode(commit) },
  response: {
    decode: async (payload) => decode(new FlexibleReader(payload)),
    parse: async (answer) => {
      assertNone(answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)));
      return answer;
    },
  },
});

type Answer = ReturnType<typeof decode>;

/** No generation and no member: the transactional id fences, which belongs to one partition. */
const anybody: GroupMember = { generation: -1, member: '', instance: null };
const noLeaderEpoch = -1;

function encode({ transactionalId, groupId, producerId, producerEpoch, topics, by = anybody }: Commit) {
  const writer = new FlexibleWriter().string(transactionalId).string(groupId).int64(producerId).int16(producerEpoch);
  writer.int32(by.generation).string(by.member).string(by.instance);
  writer.array(topics, ({ topic, partitions }) =>
    writer
      .string(topic)
      .array(partitions, ({ partition, offset, metadata = null }) =>
        writer.int32(partition).int64(offset).int32(noLeaderEpoch).string(metadata).tags(),
      )
      .tags(),
  );
  return writer.tags().finish();
}

function decode(reader: FlexibleReader) {
  reader.tags();
  const throttle = throttled(reader.int32());
  const partition = () => {
    const answer = { partition: reader.int32(), errorCode: reader.int16() };
    reader.tags();
    return answer;
  };
  const topics = reader.array(() => {
    const topic = { topic: reader.string(), partitions: reader.array(partition) };
    reader.tags();
    return topic;
  });
  return { ...throttle, topics };
}
