import type { InRecord, PipeSpec, TopicPartition } from '../port.ts';
import { readRange, type ViewContext } from './views.ts';

/**
 * The last `replay` committed records before `committed`. Offsets also count transaction markers, so the range grows until
 * enough records are found.
 */
export async function replayBefore(
  context: ViewContext & { readonly spec: PipeSpec },
  partition: TopicPartition,
  committed: number,
): Promise<InRecord[]> {
  const wanted = context.spec.replay ?? 0;
  const { low } = await context.admin.bounds(partition);
  for (let span = wanted + 64; ; span *= 2) {
    const from = Math.max(low, committed - span);
    if (from >= committed) return [];
    const found = await readRange(context, { ...partition, position: from, end: committed });
    if (found.length >= wanted || from === low) return found.slice(-wanted);
  }
}
