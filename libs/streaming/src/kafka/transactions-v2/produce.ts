import { flexible } from '../record-batch/form.ts';
import { encodeProduce, type ProduceRequest } from '../record-batch/produce-request.ts';
import { FlexibleReader } from './flexible.ts';
import { assertNone, throttled, type Request } from './request.ts';

/** Produce, version 12: the broker adds the partitions that it names to the transaction. */
export const produce = (produced: ProduceRequest): Request<Answer> => ({
  request: {
    ...{ apiKey: 0, apiVersion: 12, apiName: 'Produce' },
    encode: () => encodeProduce(produced, Date.now(), flexible),
    expectResponse: () => produced.acks !== 0,
  },
  response: {
    decode: async (payload) => decode(new FlexibleReader(payload)),
    parse: async (answer) => {
      assertNone(answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)));
      return answer;
    },
  },
});

type Answer = ReturnType<typeof decode>;

function decode(reader: FlexibleReader) {
  reader.tags();
  const topics = reader.array(() => {
    const topic = { topicName: reader.string() ?? '', partitions: reader.array(() => partition(reader)) };
    reader.tags();
    return topic;
  });
  return { topics, ...throttled(reader.int32()) };
}

function partition(reader: FlexibleReader) {
  const answer = {
    partition: reader.int32(),
    errorCode: reader.int16(),
    baseOffset: reader.int64(),
    logAppendTime: reader.int64(),
    logStartOffset: reader.int64(),
  };
  // Which records a refused batch is refused for, and why.
  reader.array(() => [reader.int32(), reader.string(), reader.tags()]);
  reader.string();
  reader.tags();
  return answer;
}
