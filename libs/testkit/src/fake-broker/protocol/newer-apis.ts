import type { Api, ApiName, Apis } from './apis.ts';
import { boolean, int16, int32, int64, struct, type Codec, type Fields, type Of } from './codec.ts';
import { compactArray, compactBytes, compactNullableString, compactString, headed, oneTag, tagged } from './flexible.ts';

const throttle = { throttleTime: int32 };
const topics = <F extends Fields>(partition: F) =>
  compactArray(tagged({ topic: compactString, partitions: compactArray(tagged({ partition: int32, ...partition })) }));

const api = <Q, A>([key, version]: readonly [key: number, version: number], request: Codec<Q>, response: Codec<A>): Api<Q, A> => ({
  ...{ key, version, request: headed(request), response },
});

/** The requests of version 2 of the transaction protocol (KIP-890), and the one whose answer says that it is spoken. */
export const newerApis = {
  Produce: api(
    [0, 12],
    tagged({ transactionalId: compactNullableString, acks: int16, timeout: int32, topics: topics({ records: compactBytes }) }),
    headed(
      tagged({
        topics: topics({
          ...{ errorCode: int16, baseOffset: int64, logAppendTime: int64, logStartOffset: int64 },
          recordErrors: compactArray(tagged({ index: int32, message: compactNullableString })),
          errorMessage: compactNullableString,
        }),
        ...throttle,
      }),
    ),
  ),
  ApiVersions: api(
    [18, 3],
    tagged({ software: compactString, softwareVersion: compactString }),
    struct({
      errorCode: int16,
      versions: compactArray(tagged({ key: int16, minVersion: int16, maxVersion: int16 })),
      ...throttle,
      finalized: oneTag(2, compactArray(tagged({ feature: compactString, maxLevel: int16, minLevel: int16 }))),
    }),
  ),
  EndTxn: api(
    [26, 5],
    tagged({ transactionalId: compactString, producerId: int64, producerEpoch: int16, commit: boolean }),
    headed(tagged({ ...throttle, errorCode: int16, producerId: int64, producerEpoch: int16 })),
  ),
  TxnOffsetCommit: api(
    [28, 5],
    tagged({
      ...{ transactionalId: compactString, groupId: compactString, producerId: int64, producerEpoch: int16 },
      ...{ generationId: int32, memberId: compactString, groupInstanceId: compactNullableString },
      topics: topics({ offset: int64, leaderEpoch: int32, metadata: compactNullableString }),
    }),
    headed(tagged({ ...throttle, topics: topics({ errorCode: int16 }) })),
  ),
} as const;

type NewerApis = typeof newerApis;

/** An answer that can be written in every version. */
export type ResponseOf<N extends ApiName> = Of<Apis[N]['response']> & (N extends keyof NewerApis ? Of<NewerApis[N]['response']> : unknown);

/** The newer version of a request, undefined where there is only one. */
export const newerApi = (name: ApiName): Api<unknown, unknown> | undefined =>
  (newerApis as Partial<Record<ApiName, Api<unknown, unknown>>>)[name];
