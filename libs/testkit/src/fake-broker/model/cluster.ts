import type { Random } from '@sluice/learning/simulation';
import { codes } from '../protocol/codes.ts';
import { Group } from './group.ts';
import { Offsets } from './offsets.ts';
import { PartitionLog } from './partition-log.ts';
import { Transactions, type Participant, type ProducerIdentity } from './transactions.ts';

export interface ClusterOptions {
  readonly nodes: number;
  readonly random: Random;
  /** transaction.partition.verification.enable; off in brokers before 3.6. */
  readonly verifies: boolean;
  /** What the nodes speak; left out: the older protocol alone. */
  readonly transactions?: TransactionSupport;
  /** See TransactionsOptions. */
  readonly lastEpoch?: number;
}

/**
 * Version 1 of the transaction protocol; nodes that know the requests of version 2 while the cluster has not made it final, as
 * during an upgrade; version 2.
 */
export const transactionSupports = ['1', '1, 2 known', '2'] as const;
export type TransactionSupport = (typeof transactionSupports)[number];

/** Who writes to what in which transaction. */
interface Writing {
  readonly id: string;
  readonly producer: ProducerIdentity;
  readonly participant: Participant;
}

export interface Partition {
  readonly topic: string;
  readonly partition: number;
  readonly log: PartitionLog;
  leader: number;
}

/** A part of the internal topics: its leader is the coordinator of all groups or transactional ids that fall into it. */
interface Shard {
  coordinator: number;
  /** Until when the coordinator reads its log and answers nothing else than that. */
  loadingUntil: number;
}

export const coordinatorTypes = ['group', 'transaction'] as const;
export type CoordinatorType = (typeof coordinatorTypes)[number];

const shardCount = 3;
export const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;
const groupParticipant = 'offsets of ';

/** State of the whole cluster: what is replicated is shared by its nodes, who leads what is moved by faults. */
export class Cluster {
  readonly nodes: readonly number[];
  readonly random: Random;
  readonly partitions = new Map<string, Partition>();
  readonly groups = new Map<string, Group>();
  readonly offsets = new Map<string, Offsets>();
  readonly transactions: Transactions;
  /** Slows the writing of markers; 1 is the ordinary speed. */
  markerPatience = 1;
  readonly #topics = new Map<string, number>();
  readonly #shards: Readonly<Record<CoordinatorType, Shard[]>>;
  readonly #down = new Set<number>();
  readonly #verifies: boolean;
  readonly #support: TransactionSupport;
  readonly #waiting = new Set<() => void>();

  constructor({ nodes, random, verifies, transactions = '1', lastEpoch }: ClusterOptions) {
    this.#verifies = verifies;
    this.#support = transactions;
    this.nodes = Array.from({ length: nodes }, (_, i) => i + 1);
    this.random = random;
    const shards = () => Array.from({ length: shardCount }, () => ({ coordinator: 1 + random.below(nodes), loadingUntil: 0 }));
    this.#shards = { group: shards(), transaction: shards() };
    this.transactions = new Transactions({
      markerDelay: () => Math.floor(random.uniform() ** 3 * 40 * this.markerPatience),
      mark: (participant, marker) => this.#mark(participant, marker),
      ...(lastEpoch === undefined ? {} : { lastEpoch }),
    });
  }

  get knowsNewer(): boolean {
    return this.#support !== '1';
  }

  get transactionVersion(): 1 | 2 {
    return this.#support === '2' ? 2 : 1;
  }

  createTopic(topic: string, count: number): boolean {
    if (this.#topics.has(topic)) return false;
    this.#topics.set(topic, count);
    for (let partition = 0; partition < count; partition++) {
      const leader = 1 + this.random.below(this.nodes.length);
      this.partitions.set(placeOf(topic, partition), { topic, partition, leader, log: new PartitionLog() });
    }
    return true;
  }

  topicNames(): readonly string[] {
    return [...this.#topics.keys()];
  }

  partitionsOf(topic: string): readonly Partition[] {
    return Array.from({ length: this.#topics.get(topic) ?? 0 }, (_, partition) => this.partitions.get(placeOf(topic, partition))!);
  }

  isUp(node: number): boolean {
    return !this.#down.has(node);
  }

  /** Nodes that metadata names. A node that is down is left out, as a broker without a session is. */
  get live(): readonly number[] {
    return this.nodes.filter((node) => this.isUp(node));
  }

  coordinatorOf(type: CoordinatorType, key: string): number {
    return this.#shardOf(type, key).coordinator;
  }

  /** Error code of a request for `key` at `node`: not its coordinator, loading, or 0. */
  coordination(type: CoordinatorType, key: string, node: number): number {
    const { coordinator, loadingUntil } = this.#shardOf(type, key);
    if (coordinator !== node) return codes.notCoordinator;
    return Date.now() < loadingUntil ? codes.coordinatorLoading : codes.none;
  }

  group(name: string): Group {
    return entryOf(this.groups, name, () => new Group(name));
  }

  offsetsOf(group: string): Offsets {
    return entryOf(this.offsets, group, () => new Offsets());
  }

  participantOf = (group: string): Participant => `${groupParticipant}${group}`;

  /** Error code of a transactional write that its coordinator knows nothing of. */
  verify({ id, producer, participant }: Writing): number {
    return this.#verifies ? this.transactions.verify(id, producer, participant) : codes.none;
  }

  /** The node that is written to adds itself to the transaction, on behalf of the client (KIP-890 part 2). Error code. */
  join({ id, producer, participant }: Writing): number {
    if (Date.now() < this.#shardOf('transaction', id).loadingUntil) return codes.notEnoughReplicas;
    return this.transactions.add(id, producer, [participant]);
  }

  /** Resolves when something was written, or after `ms`. */
  news(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(end);
    });
  }

  wake(): void {
    for (const end of [...this.#waiting]) end();
  }

  moveCoordinator(type: CoordinatorType, shard: number, loadingMs: number): void {
    const moved = this.#shards[type][shard % shardCount]!;
    moved.coordinator = this.#another(moved.coordinator);
    moved.loadingUntil = Date.now() + loadingMs;
    if (type === 'group') for (const [name, group] of this.groups) if (this.#shardOf('group', name) === moved) group.move();
  }

  moveLeader(place: string): void {
    const partition = this.partitions.get(place)!;
    partition.leader = this.#another(partition.leader);
  }

  /** A node goes: the others lead and coordinate what it did. */
  stop(node: number, loadingMs: number): void {
    if (this.live.length <= 1) return;
    this.#down.add(node);
    for (const [place, { leader }] of this.partitions) if (leader === node) this.moveLeader(place);
    for (const type of coordinatorTypes)
      this.#shards[type].forEach((shard, i) => shard.coordinator === node && this.moveCoordinator(type, i, loadingMs));
  }

  start(node: number): void {
    this.#down.delete(node);
  }

  close(): void {
    this.transactions.close();
    for (const group of this.groups.values()) group.close();
  }

  #another(node: number): number {
    const others = this.live.filter((one) => one !== node);
    return others[this.random.below(others.length)] ?? node;
  }

  #shardOf(type: CoordinatorType, key: string): Shard {
    let hash = 0;
    for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
    return this.#shards[type][Math.abs(hash) % shardCount]!;
  }

  #mark(participant: Participant, marker: { producerId: number; epoch: number; commit: boolean }): void {
    if (participant.startsWith(groupParticipant)) this.offsetsOf(participant.slice(groupParticipant.length)).mark(marker);
    else {
      this.partitions.get(participant)?.log.mark({ ...marker, timestamp: Date.now() });
      this.wake();
    }
  }
}

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
