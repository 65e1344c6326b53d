import { SluiceError } from '@sluice/domain';
import type { Admin } from 'kafkajs';
import type { TopicPartition, TopicSpec } from '../port.ts';
import { metadataMaxAgeMs, type Clients } from './client.ts';
import { isPassing, isUnreachable, protocolType } from './faults.ts';
import { readCommitted, readUncommitted, type ClientCluster } from './internals.ts';
import { committedBy, earliest, endsOf, latest } from './offsets.ts';
import { backoff, pause } from './time.ts';

/** How long the first contact with the cluster may take. */
const reachWithinMs = 10_000;
const visibleWithinMs = 30_000;

const ends = {
  low: { timestamp: earliest, isolationLevel: readCommitted },
  stable: { timestamp: latest, isolationLevel: readCommitted },
  high: { timestamp: latest, isolationLevel: readUncommitted },
} as const;

export interface Bounds {
  /** First offset that still exists. */
  readonly low: number;
  /** First offset of the oldest transaction that has not ended, or `high` when there is none. */
  readonly stable: number;
  /** Offset that the next record will have. */
  readonly high: number;
}

/** Topics, partition counts and offsets of the cluster. Connects on first use. */
export class ClusterAdmin {
  readonly #clients: Clients;
  #admin: Admin | undefined;
  #cluster: ClientCluster | undefined;
  #connecting: Promise<void> | undefined;
  readonly #counts = new Map<string, { count: number; at: number }>();

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  /** @throws SluiceError SLUICE_BROKER_UNREACHABLE within about 10 s, with every connection ended. */
  reach(): Promise<void> {
    this.#connecting ??= this.#connect().catch(async (thrown: unknown) => {
      this.#connecting = undefined;
      await this.close();
      throw thrown;
    });
    return this.#connecting;
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    await this.reach();
    const existing = new Set(await this.#admin!.listTopics());
    const missing = specs.filter((spec) => !existing.has(spec.name));
    if (missing.length > 0) await this.#create(missing);
    for (const { name, partitions } of specs) {
      const found = await this.#visible(name, missing.some((spec) => spec.name === name) ? partitions : 1);
      if (found !== partitions) throw new SluiceError('SLUICE_TOPIC_MISMATCH', `topic ${name} has ${found} partitions, not ${partitions}`);
    }
    // Metadata may name a leader that does not know it yet: only one that answers for its partitions is there.
    for (const { name, partitions } of missing) {
      for (let partition = 0; partition < partitions; partition++) await this.bounds({ topic: name, partition });
    }
  }

  /** Partition count of a topic. @throws SluiceError SLUICE_TOPIC_MISSING */
  async partitions(topic: string): Promise<number> {
    const known = this.#counts.get(topic);
    if (known !== undefined) {
      // What is known still serves: who commits must not wait for this.
      if (performance.now() - known.at > metadataMaxAgeMs) void this.#count(topic).catch(() => undefined);
      return known.count;
    }
    await this.reach();
    const count = await this.#count(topic);
    if (count === 0) throw new SluiceError('SLUICE_TOPIC_MISSING', `topic ${topic} does not exist`);
    return count;
  }

  /** Asks each broker for all of its partitions at once. What was committed is read first, so that the lag is never told too short. */
  async lag(group: string, topics: readonly string[]): Promise<number> {
    const partitions: TopicPartition[] = [];
    for (const topic of topics) {
      const count = await this.partitions(topic);
      for (let partition = 0; partition < count; partition++) partitions.push({ topic, partition });
    }
    return this.#persist(async (cluster) => {
      const committed = await committedBy(cluster, group, partitions);
      const [low, stable] = await Promise.all([endsOf(cluster, partitions, ends.low), endsOf(cluster, partitions, ends.stable)]);
      return partitions.reduce((lag, _, i) => lag + Math.max(0, stable[i]! - Math.max(low[i]!, committed[i]!)), 0);
    });
  }

  async bounds(partition: TopicPartition): Promise<Bounds> {
    return this.#persist(async (cluster) => {
      const [[low], [stable], [high]] = await Promise.all([
        endsOf(cluster, [partition], ends.low),
        endsOf(cluster, [partition], ends.stable),
        endsOf(cluster, [partition], ends.high),
      ]);
      return { low: low!, stable: stable!, high: high! };
    });
  }

  /** The group's committed offset, undefined when it has none. */
  async committed(group: string, partition: TopicPartition): Promise<number | undefined> {
    const [offset] = await this.#persist((cluster) => committedBy(cluster, group, [partition]));
    return offset! < 0 ? undefined : offset;
  }

  async close(): Promise<void> {
    const [admin, cluster] = [this.#admin, this.#cluster];
    this.#admin = this.#cluster = this.#connecting = undefined;
    await Promise.allSettled([admin?.disconnect(), cluster?.disconnect()]);
  }

  /** Asks again while leaders and coordinators move, with fresh metadata. */
  async #persist<T>(ask: (cluster: ClientCluster) => Promise<T>): Promise<T> {
    const giveUp = performance.now() + reachWithinMs;
    for (let attempt = 0; ; attempt++) {
      await this.reach();
      const cluster = this.#cluster!;
      try {
        return await ask(cluster);
      } catch (thrown) {
        if (!isPassing(thrown) || performance.now() > giveUp) throw thrown;
        await pause(backoff(attempt));
        await cluster.refreshMetadata().catch(() => undefined);
      }
    }
  }

  async #connect(): Promise<void> {
    const admin = (this.#admin = this.#clients.kafka().admin());
    const cluster = (this.#cluster = this.#clients.cluster());
    const patience = new AbortController();
    const late = pause(reachWithinMs, patience.signal).then(() => {
      throw new SluiceError('SLUICE_BROKER_UNREACHABLE', `no broker answered within ${reachWithinMs / 1_000} s`);
    });
    late.catch(() => undefined);
    try {
      await Promise.race([late, Promise.all([admin.connect(), cluster.connect()])]);
    } catch (thrown) {
      if (thrown instanceof SluiceError || !isUnreachable(thrown)) throw thrown;
      throw new SluiceError('SLUICE_BROKER_UNREACHABLE', (thrown as Error).message, { cause: thrown });
    } finally {
      patience.abort();
    }
  }

  async #create(specs: readonly TopicSpec[]): Promise<void> {
    const topics = specs.map((spec) => ({ topic: spec.name, numPartitions: spec.partitions, configEntries: configOf(spec) }));
    try {
      await this.#admin!.createTopics({ topics, waitForLeaders: false });
    } catch (thrown) {
      // Several processes of a flow start at once and create the same topics.
      const causes = (thrown as { errors?: unknown[] }).errors ?? [thrown];
      if (!causes.every((cause) => protocolType(cause) === 'TOPIC_ALREADY_EXISTS')) throw thrown;
    }
  }

  /** Looks the partition count up; one look at a time once it is known. */
  async #count(topic: string): Promise<number> {
    const known = this.#counts.get(topic);
    if (known !== undefined) known.at = performance.now();
    const count = await this.#describe(topic);
    if (count > 0) this.#counts.set(topic, { count, at: performance.now() });
    return count;
  }

  /** Waits until at least `least` partitions are known and each has a leader. @returns the partition count */
  async #visible(topic: string, least: number): Promise<number> {
    const giveUp = performance.now() + visibleWithinMs;
    for (let attempt = 0; performance.now() < giveUp; attempt++) {
      const found = await this.#describe(topic);
      if (found >= least) return found;
      await pause(Math.min(200, backoff(attempt)));
    }
    throw new SluiceError('SLUICE_TOPIC_MISSING', `topic ${topic} has no leader after ${visibleWithinMs / 1_000} s`);
  }

  /** Number of partitions of a topic that all have leaders; 0 when it does not exist or one has none. */
  async #describe(topic: string): Promise<number> {
    try {
      const { topics } = await this.#admin!.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      return partitions.every((partition) => partition.leader >= 0 && partition.partitionErrorCode === 0) ? partitions.length : 0;
    } catch (thrown) {
      if (/UNKNOWN_TOPIC|LEADER_NOT_AVAILABLE/.test(protocolType(thrown) ?? '')) return 0;
      throw thrown;
    }
  }
}

function configOf(spec: TopicSpec): { name: string; value: string }[] {
  const config: [string, number | string | undefined][] = [
    ['cleanup.policy', spec.compacted ? 'compact' : undefined],
    ['retention.ms', spec.retention],
    ['max.message.bytes', spec.maxMessageBytes],
    ['min.compaction.lag.ms', spec.minCompactionLag],
  ];
  return config.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: String(value) }]));
}
