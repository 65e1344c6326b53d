import type { Random } from '@sluice/learning/simulation';
import { kafkaBus, type KafkaBusOptions } from '@sluice/streaming';
import type { Cluster } from '../model/cluster.ts';

export interface PublishingOptions {
  readonly bus: KafkaBusOptions;
  readonly random: Random;
  readonly topic: string;
  readonly batches: number;
  /** Milliseconds in which they are published. */
  readonly within: number;
}

/** A process that publishes without waiting for its last batch: what it is told was written must be there once. */
export class Publishing {
  readonly #options: PublishingOptions;
  readonly #acknowledged = new Set<string>();
  #count = 0;
  isOver = false;

  constructor(options: PublishingOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { random, batches, within, topic } = this.#options;
    const bus = kafkaBus(this.#options.bus);
    const publisher = await bus.openPublisher();
    const publishing: Promise<void>[] = [];
    for (let i = 0; i < batches; i++) {
      const ids = Array.from({ length: 1 + random.below(5) }, () => `event-${this.#count++}`);
      const key = () => (random.uniform() < 0.4 ? null : Buffer.from(`key ${random.below(5)}`));
      const published = publisher.publish(ids.map((id) => ({ topic, key: key(), value: Buffer.from(id) })));
      // A refused batch is somewhere between not written and written: only what was acknowledged is promised.
      publishing.push(published.then(() => ids.forEach((id) => this.#acknowledged.add(id)), () => undefined)); // prettier-ignore
      await new Promise((resolve) => setTimeout(resolve, random.below((2 * within) / batches)));
    }
    await Promise.all(publishing);
    this.isOver = true;
    await bus.close();
  }

  /** What is wrong with the log that was written, in words. */
  judge(cluster: Cluster): string[] {
    const { topic } = this.#options;
    const found = new Map<string, number>();
    for (const { log } of cluster.partitionsOf(topic))
      for (const { value } of log.committed()) found.set(String(value), (found.get(String(value)) ?? 0) + 1);
    const lost = [...this.#acknowledged].filter((id) => !found.has(id));
    const doubled = [...found].filter(([, times]) => times > 1).map(([id]) => id);
    return [
      ...(lost.length > 0 ? [`${lost.length} acknowledged on ${topic}, but not there: ${lost.slice(0, 5).join(', ')}`] : []),
      ...(doubled.length > 0 ? [`${doubled.length} doubled on ${topic}: ${doubled.slice(0, 5).join(', ')}`] : []),
    ];
  }
}
