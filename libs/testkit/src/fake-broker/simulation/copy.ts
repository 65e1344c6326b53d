import type { Random } from '@sluice/learning/simulation';
import type { InRecord, OutRecord } from '@sluice/streaming';

const failureShare = 0.03;

/**
 * The program under test: each record to every output under its key. Poison always fails; a slice now and then, but no record that is alone,
 * because three such failures would rightly make it a dead letter.
 */
export function copy(slice: readonly InRecord[], { outputs, random }: { outputs: readonly string[]; random: Random }): OutRecord[] {
  if (slice.length > 1 && random.uniform() < failureShare) throw new Error('a slice failed');
  return slice.flatMap(({ key, value, ...from }) => {
    if (String(value).startsWith('poison')) throw new Error('poison');
    return outputs.map((topic) => ({ topic, key, value, from }));
  });
}
