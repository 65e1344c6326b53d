import type { Work } from '../carrier.ts';
import type { PipeSpec, PipeStats, TopicPartition } from '../port.ts';
import { placeOf, stamped } from '../records.ts';
import type { ClusterAdmin } from './admin.ts';
import { refusal } from './faults.ts';
import type { Place } from './wire.ts';
import type { Writer } from './writer.ts';

/** A commit whose fate is not known. */
interface Uncertain {
  readonly next: number;
  /** Whether records went through the processor for it: only then it waits to hear of their fate. */
  readonly carried: boolean;
  /** Offsets that it passes over because they are gone. */
  readonly expired: number;
}

export interface CommitterContext {
  readonly admin: Pick<ClusterAdmin, 'partitions'>;
  readonly spec: PipeSpec;
  readonly stats: PipeStats;
  readonly newWriter: (partition: TopicPartition) => Writer;
}

/** Where a commit takes its partition: the next offset to read, and how many of those before it are gone. */
export interface Step {
  readonly next: number;
  readonly expired: number;
}

/** Makes the work of one partition durable, with one writer at a time, and remembers a commit that ended in an error until its fate is known. */
export class Committer {
  readonly #context: CommitterContext;
  readonly #partition: TopicPartition;
  #writer: Writer | undefined;
  #uncertain: Uncertain | undefined;

  constructor(context: CommitterContext, partition: TopicPartition) {
    this.#context = context;
    this.#partition = partition;
  }

  get isUncertain(): boolean {
    return this.#uncertain !== undefined;
  }

  /** A new writer fences whoever wrote before, this one included. */
  async open(): Promise<void> {
    this.#writer = this.#context.newWriter(this.#partition);
    await this.#writer.open();
  }

  /** @throws SluiceError of class reject when the log refuses a record: it can go on then. After any other error it is uncertain. */
  async commit({ slice, outputs }: Work, { next, expired }: Step): Promise<void> {
    const { spec, stats } = this.#context;
    this.#uncertain = { next, carried: slice.length > 0, expired };
    const records = await this.#placed(outputs);
    try {
      await this.#writer!.commit({ group: spec.group, records, partition: this.#partition, next });
    } catch (thrown) {
      const refused = refusal(thrown);
      if (refused === undefined) throw thrown;
      // Only the transaction is lost, the place in the slice is not.
      await this.close();
      await this.open();
      this.#uncertain = undefined;
      throw refused;
    }
    this.#uncertain = undefined;
    stats.expired += expired;
  }

  /** The committed offset tells whether the transaction that ended in an error did take place. Undefined: none did end so. */
  settle(committed: number): { readonly happened: boolean; readonly carried: boolean } | undefined {
    if (this.#uncertain === undefined) return undefined;
    const { next, carried, expired } = this.#uncertain;
    const happened = committed === next;
    this.#uncertain = undefined;
    if (happened) this.#context.stats.expired += expired;
    return { happened, carried };
  }

  /** Nobody will look any more. @returns whether the processor waits to hear of a fate */
  forget(): boolean {
    const carried = this.#uncertain?.carried === true;
    this.#uncertain = undefined;
    return carried;
  }

  /** Throws the writer away, whatever state it is in. */
  async close(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close().catch(() => undefined);
  }

  async #placed(outputs: Work['outputs']): Promise<Place[]> {
    const counts = new Map<string, number>();
    for (const { topic } of outputs) if (!counts.has(topic)) counts.set(topic, await this.#context.admin.partitions(topic));
    return outputs.map((output) => ({ ...output, partition: placeOf(output, counts.get(output.topic)!), headers: stamped(output) }));
  }
}
