import { randomUUID } from 'node:crypto';
import { defineMachine, SluiceError, toSluiceError, type Machine, type Transitions } from '@sluice/domain';
import {
  PartitionAssigners,
  type Consumer,
  type ConsumerCrashEvent,
  type ConsumerGroupJoinEvent,
  type EachBatchPayload,
  type InstrumentationEvent,
} from 'kafkajs';
import { newStats } from '../stats.ts';
import type { Pipe, PipeSpec, TopicPartition } from '../port.ts';
import type { ClusterAdmin } from './admin.ts';
import type { Clients } from './client.ts';
import { clientRetry, metadataMaxAgeMs } from './client.ts';
import type { ClientBatch } from './internals.ts';
import { Membership } from './membership.ts';
import { PartitionOwner, type OwnerContext } from './partition-owner.ts';
import { stickyAssigner } from './sticky-assigner.ts';
import { pause } from './time.ts';
import { Watchdog } from './watchdog.ts';
import { IdempotentWriter, TransactionalWriter, type Writer } from './writer.ts';

export const pipeTransitions = {
  joining: ['running', 'closing', 'failed'],
  running: ['closing', 'failed'],
  closing: ['closed', 'failed'],
  failed: ['closed'],
  closed: [],
} as const satisfies Transitions<string>;

type PipeState = keyof typeof pipeTransitions;

/** How long joining the group may take when the pipe is opened: longer than an expired member's session. */
const joinWithinMs = 60_000;

/** Batches of one fetch that are handed over at the same time, per topic: they linger together, not one after the other. */
const maxConcurrentBatches = 16;

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

type SkippedBatch = { batchSize: number; topic: string; partition: number; fetchedOffset: string; lastOffset: string };

/** A consumer group member and the owners of the partitions it was given. The consumer only fills their queues. */
export class KafkaPipe implements Pipe {
  readonly done: Promise<void>;
  readonly stats = newStats();
  readonly #clients: Clients;
  readonly #admin: ClusterAdmin;
  readonly #spec: PipeSpec;
  readonly #consumer: Consumer;
  readonly #machine: Machine<PipeState>;
  readonly #owners = new Map<string, PartitionOwner>();
  /** Owners on their way out: the next owner of the partition waits for them. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #membership = new Membership();
  readonly #watchdog: Watchdog;
  #joined!: () => void;
  readonly #firstJoin: Promise<void>;
  #resolveDone!: () => void;
  #rejectDone!: (error: SluiceError) => void;
  #closed: Promise<void> | undefined;

  private constructor(clients: Clients, admin: ClusterAdmin, spec: PipeSpec) {
    this.#clients = clients;
    this.#admin = admin;
    this.#spec = spec;
    this.#consumer = clients.kafka().consumer({
      groupId: spec.group,
      // A member that comes back under its name takes its place again at once: without it the group waits until the session of the dead one ends.
      ...(clients.instance !== undefined && { groupInstanceId: clients.instance }),
      // Heartbeats do not wait for processing here, so a silent member is a dead one; its partitions move on after this time.
      sessionTimeout: 10_000,
      heartbeatInterval: 1_000,
      rebalanceTimeout: 30_000,
      maxWaitTimeInMs: 100,
      minBytes: 1,
      maxBytesPerPartition: 1 << 20,
      maxBytes: 8 << 20,
      allowAutoTopicCreation: false,
      metadataMaxAge: metadataMaxAgeMs,
      // Round robin besides, so that a group can change over while members of an earlier version are still in it.
      partitionAssigners: [stickyAssigner(clients.instance ?? randomUUID()), PartitionAssigners.roundRobin],
      retry: { ...clientRetry, retries: 8 },
    });
    this.#machine = defineMachine<PipeState>(`pipe ${spec.group}`, pipeTransitions, { start: 'joining' });
    this.#firstJoin = new Promise((resolve) => (this.#joined = resolve));
    this.done = new Promise((resolve, reject) => {
      this.#resolveDone = resolve;
      this.#rejectDone = reject;
    });
    this.done.catch(() => undefined);
    this.#watchdog = new Watchdog({ stats: this.stats, stallAfterMs: spec.stallAfterMs ?? 60_000, waiting: () => this.#isWaiting() });
  }

  /** Resolves when the group is joined and every partition given to this member is ready. */
  static async open(clients: Clients, admin: ClusterAdmin, spec: PipeSpec): Promise<KafkaPipe> {
    for (const topic of spec.topics) await admin.partitions(topic);
    await admin.partitions(spec.deadLetters);
    const pipe = new KafkaPipe(clients, admin, spec);
    try {
      await pipe.#start();
    } catch (thrown) {
      await pipe.close().catch(() => undefined);
      throw thrown;
    }
    return pipe;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #start(): Promise<void> {
    this.#listen();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#spec.topics], fromBeginning: true });
    await this.#consumer.run({
      eachBatch: (payload) => this.#take(payload),
      eachBatchAutoResolve: false,
      autoCommit: false,
      partitionsConsumedConcurrently: this.#spec.topics.length * maxConcurrentBatches,
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new SluiceError('SLUICE_STALLED', `group ${this.#spec.group} was not joined within ${joinWithinMs / 1_000} s`);
      timer = setTimeout(() => reject(error), joinWithinMs);
    });
    const ready = this.#firstJoin.then(() =>
      Promise.all([...this.#owners.values()].map((owner) => Promise.race([owner.ready, owner.done]))),
    );
    await Promise.race([ready, late, this.done]).finally(() => clearTimeout(timer));
    if (this.#machine.is('joining')) this.#machine.to('running');
    this.#watchdog.start((error) => this.#fail(error));
  }

  #listen(): void {
    const { GROUP_JOIN, HEARTBEAT, CRASH, START_BATCH_PROCESS } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, (event) => this.#assign(event));
    this.#consumer.on(HEARTBEAT, () => this.#membership.confirm());
    this.#consumer.on(CRASH, (event) => this.#crashed(event));
    this.#consumer.on(START_BATCH_PROCESS, ({ payload }: InstrumentationEvent<unknown>) => {
      const batch = payload as SkippedBatch;
      if (batch.batchSize === 0) this.#owners.get(keyOf(batch))?.skipped(Number(batch.fetchedOffset), Number(batch.lastOffset));
    });
  }

  /** Within the join, before the first fetch of the new generation: owners pause their partitions until they are fenced. */
  #assign({ payload }: ConsumerGroupJoinEvent): void {
    if (!this.#machine.is('joining', 'running')) return;
    this.#membership.confirm();
    const given = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const keys = new Set(given.map(keyOf));
    for (const [key, owner] of this.#owners) if (!keys.has(key)) this.#release(key, owner);
    for (const partition of given) this.#own(partition);
    this.stats.assigned = given.length;
    this.#clients.logger.debug({ event: 'assigned', group: this.#spec.group, partitions: [...keys] }, 'partitions were assigned');
    this.#joined();
  }

  #own(partition: TopicPartition): void {
    const key = keyOf(partition);
    const existing = this.#owners.get(key);
    if (existing) return existing.renew();
    this.#setPaused(partition, true);
    const owner = new PartitionOwner(this.#context, partition, this.#leaving.get(key) ?? Promise.resolve());
    this.#owners.set(key, owner);
    owner.done.catch((error: SluiceError) => this.#fail(error));
  }

  #release(key: string, owner: PartitionOwner): void {
    this.#owners.delete(key);
    const gone = owner.close().finally(() => {
      if (this.#leaving.get(key) === gone) this.#leaving.delete(key);
    });
    this.#leaving.set(key, gone);
  }

  get #context(): OwnerContext {
    return {
      clients: this.#clients,
      admin: this.#admin,
      logger: this.#clients.logger,
      spec: this.#spec,
      stats: this.stats,
      membership: this.#membership,
      newWriter: (partition) => this.#newWriter(partition),
      seek: (partition, offset) => this.#whileRunning(() => this.#consumer.seek({ ...partition, offset: String(offset) })),
      setPaused: (partition, paused) => this.#setPaused(partition, paused),
    };
  }

  #newWriter(partition: TopicPartition): Writer {
    if (this.#spec.delivery === 'exactly-once') return new TransactionalWriter(this.#clients, this.#spec.group, partition);
    return new IdempotentWriter(this.#clients, async (of, next) => {
      // A plain commit is checked by generation alone: in the new one it would take back what the new owner has committed.
      if (!this.#owners.has(keyOf(of))) throw new Error('the partition was given away');
      await this.#consumer.commitOffsets([{ ...of, offset: String(next) }]);
    });
  }

  #setPaused({ topic, partition }: TopicPartition, paused: boolean): void {
    const partitions = [{ topic, partitions: [partition] }];
    this.#whileRunning(() => (paused ? this.#consumer.pause(partitions) : this.#consumer.resume(partitions)));
  }

  /** Between a crash and its restart the consumer refuses these calls; the next join sets everything anew. */
  #whileRunning(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#clients.logger.debug({ event: 'consumer-away', error: String(thrown) }, 'the consumer is between two lives');
    }
  }

  async #take({ batch, resolveOffset, isStale }: EachBatchPayload): Promise<void> {
    const owner = this.#owners.get(keyOf(batch));
    if (owner === undefined || isStale()) return;
    if (owner.offer(batch as unknown as ClientBatch)) resolveOffset(batch.messages.at(-1)!.offset);
    // Nothing is taken before the slice has lingered, and the client fetches again only after this returns: without the pause
    // it would ask the broker once per record that trickles in.
    await pause(this.#spec.lingerMs, this.#closing.signal);
  }

  #crashed({ payload: { error, restart } }: ConsumerCrashEvent): void {
    this.#clients.logger.debug({ event: 'consumer-crash', restart, error: String(error) }, 'the consumer crashed');
    if (!restart) this.#fail(new SluiceError('SLUICE_CONSUMER_CRASHED', `group ${this.#spec.group}: ${error.message}`, { cause: error }));
  }

  /** Records of ours that nobody has fetched or processed yet. */
  async #isWaiting(): Promise<boolean> {
    for (const owner of this.#owners.values()) {
      if (owner.isResting) continue;
      if (owner.isBusy) return true;
      if (owner.state !== 'running') return true;
      const { stable } = await this.#admin.bounds(owner.partition);
      if (stable > owner.position) return true;
    }
    return this.#owners.size === 0 && this.stats.assigned > 0;
  }

  #fail(thrown: unknown): void {
    if (!this.#machine.is('joining', 'running', 'closing')) return;
    this.#machine.to('failed');
    const error = toSluiceError(thrown, 'SLUICE_CONSUMER_CRASHED');
    this.#clients.logger.debug({ event: 'pipe-failed', group: this.#spec.group, code: error.code }, error.message);
    this.#rejectDone(error);
    void this.close();
  }

  async #close(): Promise<void> {
    this.#watchdog.stop();
    this.#closing.abort();
    if (!this.#machine.is('failed')) this.#machine.to('closing');
    // Before the consumer: the last offsets of an at-least-once pipe are committed through it.
    await Promise.all([...this.#owners.values()].map((owner) => owner.close()));
    await Promise.all(this.#leaving.values());
    this.#owners.clear();
    await this.#consumer.disconnect().catch(() => undefined);
    this.#machine.to('closed');
    this.#resolveDone();
  }
}
