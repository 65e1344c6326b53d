import { decodeTag, header, headerBytes, headerText, topicsOf } from '@sluice/contracts';
import { retries, SluiceError, type Clock, type Flow } from '@sluice/domain';
import type { Bus, InRecord, OutRecord, Pipe, Processor } from '@sluice/streaming';
import { retryTopology } from './topology.ts';

export interface RetryOptions {
  readonly bus: Bus;
  readonly flow: Flow;
  readonly clock: Clock;
  readonly maxSlice?: number;
  readonly lingerMs?: number;
}

/** Brings records that were put aside back to the topic of their model when they are due; undefined for a flow that never puts any aside. */
export async function openRetries({ bus, flow, clock, ...slices }: RetryOptions): Promise<Pipe | undefined> {
  if (!retries(flow)) return undefined;
  const { group, in: topics, deadLetters } = retryTopology(flow);
  return bus.openPipe({
    ...{ group, topics, deadLetters, delivery: flow.delivery },
    maxSlice: slices.maxSlice ?? 500,
    lingerMs: slices.lingerMs ?? 5,
    holding: { until: dueAt, clock },
    processor: () => new RetryProcessor(flow),
  });
}

/** Records without a time are due: whatever they are, they are not to block the others. */
function dueAt({ headers }: InRecord): number {
  const time = Number(headerText(headers, header.notBefore));
  return Number.isSafeInteger(time) ? time : 0;
}

/** Key, value and tag stay as they are: the worker sees the same record again. */
class RetryProcessor implements Processor {
  readonly #topics: ReturnType<typeof topicsOf>;

  constructor({ flow }: Flow) {
    this.#topics = topicsOf(flow);
  }

  process(slice: readonly InRecord[]): readonly OutRecord[] {
    return slice.map((record) => {
      const bytes = headerBytes(record.headers, header.tag);
      if (bytes === undefined) throw new SluiceError('SLUICE_TAG_INVALID', 'the record has no sluice-tag header');
      const { tiers, position } = decodeTag(bytes).slip;
      const { [header.notBefore]: _, ...headers } = record.headers;
      const { partition, key, value, timestamp } = record;
      return { topic: this.#topics.model(tiers[position]!.model), lane: partition, key, value, timestamp, headers, from: record };
    });
  }
}
