import type { Random } from '@sluice/learning/simulation';
import { placeOf, type Cluster } from '../model/cluster.ts';
import { batchOf } from '../protocol/record-batch.ts';

/** An input record as it was written. */
export interface Sent {
  readonly id: string;
  readonly key: string;
  readonly partition: number;
  readonly offset: number;
  readonly isPoison: boolean;
}

export interface FeedOptions {
  readonly cluster: Cluster;
  readonly random: Random;
  readonly topic: string;
  readonly partitions: number;
  /** Batches to write in all. */
  readonly batches: number;
  /** Milliseconds in which they are written. */
  readonly within: number;
}

/** Keys as consumers get them; the last one looks like the marker of an aborted transaction, which the stock client mistook it for. */
const keys = [...['a', 'b', 'c', 'd', 'e'].map((key) => Buffer.from(key)), Buffer.alloc(4)];
const poisonShare = 0.02;
/** Producer ids of the feed: none that the coordinator hands out. */
const firstProducerId = 1;

/**
 * Writes the input straight into the logs: plain batches, and transactions of several producers that interleave, about half of which
 * abort. What was committed is in `sent`, in the order of each partition.
 */
export class Feed {
  readonly sent: Sent[] = [];
  isOver = false;
  readonly #options: FeedOptions;
  readonly #sequences = new Map<string, number>();
  #count = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { batches, within, random } = this.#options;
    for (let i = 0; i < batches;) {
      i += random.uniform() < 0.3 ? this.#interleaved() : this.#plain();
      this.#options.cluster.wake();
      await new Promise((resolve) => setTimeout(resolve, random.below((2 * within) / batches)));
    }
    this.isOver = true;
  }

  #plain(): number {
    const partition = this.#options.random.below(this.#options.partitions);
    const written = this.#write(partition, undefined);
    this.sent.push(...written);
    return 1;
  }

  /** Two to four producers write to one partition in turns; then each ends its transaction, in any order. */
  #interleaved(): number {
    const { random, cluster, topic, partitions } = this.#options;
    const partition = random.below(partitions);
    const producers = Array.from({ length: 2 + random.below(3) }, (_, i) => firstProducerId + i);
    const written = new Map<number, Sent[]>(producers.map((id) => [id, []]));
    const turns = producers.length + random.below(3);
    for (let turn = 0; turn < turns; turn++) {
      const producerId = producers[turn % producers.length]!;
      written.get(producerId)!.push(...this.#write(partition, producerId));
    }
    const log = cluster.partitions.get(placeOf(topic, partition))!.log;
    const committed: Sent[] = [];
    for (const producerId of producers.sort(() => random.uniform() - 0.5)) {
      const commit = random.uniform() < 0.5;
      log.mark({ producerId, epoch: 0, commit, timestamp: Date.now() });
      if (commit) committed.push(...written.get(producerId)!);
    }
    this.sent.push(...committed.sort((a, b) => a.offset - b.offset));
    return turns;
  }

  #write(partition: number, producerId: number | undefined): Sent[] {
    const { random, cluster, topic } = this.#options;
    const records = Array.from({ length: 1 + random.below(5) }, () => {
      const isPoison = random.uniform() < poisonShare;
      return { key: keys[random.below(keys.length)]!, id: `${isPoison ? 'poison' : 'good'}-${this.#count++}`, isPoison };
    });
    const place = placeOf(topic, partition);
    const name = `${place} ${producerId}`;
    const firstSequence = this.#sequences.get(name) ?? 0;
    this.#sequences.set(name, firstSequence + records.length);
    const content = { timestamp: Date.now(), records: records.map(({ key, id }) => ({ key, value: Buffer.from(id) })) };
    const { base } = cluster.partitions
      .get(place)!
      .log.append(batchOf(producerId === undefined ? content : { ...content, producerId, epoch: 0, firstSequence, isTransactional: true }));
    return records.map(({ id, key, isPoison }, i) => ({ id, key: key.toString('hex'), partition, offset: base + i, isPoison }));
  }
}
