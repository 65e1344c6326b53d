import { FlexibleReader, FlexibleWriter } from './flexible.ts';
import { assertNone, throttled, type Producer, type Request } from './request.ts';

interface End extends Producer {
  /** True commits, false aborts. */
  readonly transactionResult: boolean;
}

/** EndTxn, version 5: its answer names the producer id and the epoch of the next transaction. */
export const endTxn = ({ transactionalId, producerId, producerEpoch, transactionResult }: End): Request<Answer> => ({
  request: {
    ...{ apiKey: 26, apiVersion: 5, apiName: 'EndTxn' },
    encode: async () =>
      new FlexibleWriter().string(transactionalId).int64(producerId).int16(producerEpoch).boolean(transactionResult).tags().finish(),
  },
  response: {
    decode: async (payload) => decode(new FlexibleReader(payload)),
    parse: async (answer) => {
      assertNone([answer.errorCode]);
      return answer;
    },
  },
});

type Answer = ReturnType<typeof decode>;

function decode(reader: FlexibleReader) {
  reader.tags();
  const throttle = throttled(reader.int32());
  return { ...throttle, errorCode: reader.int16(), producerId: reader.int64(), producerEpoch: reader.int16() };
}
