import { FlexibleReader, FlexibleWriter } from './flexible.ts';
import { assertNone, throttled, type Request } from './request.ts';

const apiKey = 18;
const apiVersion = 3;
const finalizedFeatures = 2;

/** Level of each feature that the cluster has made final. */
type Features = ReturnType<typeof decode>;

/** ApiVersions, version 3: the first whose answer names features. Its answer has the old header, whatever the version. */
export const features = (): Request<Features> => ({
  request: { apiKey, apiVersion, apiName: 'ApiVersions', encode },
  response: {
    decode: async (payload) => decode(new FlexibleReader(payload)),
    parse: async (answer) => {
      assertNone([answer.errorCode]);
      return answer;
    },
  },
});

const encode = async () => new FlexibleWriter().string('sluice').string('1').tags().finish();

function decode(reader: FlexibleReader) {
  const errorCode = reader.int16();
  reader.array(() => [reader.int16(), reader.int16(), reader.int16(), reader.tags()]);
  const throttle = throttled(reader.int32());
  const levels = new Map<string, number>();
  const feature = () => {
    levels.set(reader.string() ?? '', reader.int16());
    reader.int16();
    reader.tags();
  };
  reader.tags({ [finalizedFeatures]: () => void reader.array(feature) });
  return { ...throttle, errorCode, levels: levels as ReadonlyMap<string, number> };
}
