import { seededRandom, type Random } from '@sluice/learning/simulation';
import { kafkaBus, type BusLogger, type KafkaBusOptions, type PipeSpec } from '@sluice/streaming';
import { Cluster, placeOf, type TransactionSupport } from '../model/cluster.ts';
import { addressOf } from '../model/handler.ts';
import { Network } from '../model/network.ts';
import { copy } from './copy.ts';
import { inflict } from './inflict.ts';
import { lastingOf, planFaults, type PlannedFault } from './faults.ts';
import { Feed } from './feed.ts';
import { isCommitted, judgeLogs } from './oracle.ts';
import { Publishing } from './publishing.ts';
import { Slot } from './slot.ts';
import { Traps } from './traps.ts';
import type { VirtualTime } from './virtual-time.ts';

const input = 'in';
const outputs = ['left', 'right'] as const;
const deadLetters = 'dead';
const events = 'events';
const group = 'copy';
const publisher = 'publisher';
const inputPartitions = 3;
const outputPartitions = 2;
const nodes = 3;
const slots = 2;
const atLeastOnceShare = 0.1;
/** Every other seed speaks version 2 of the transaction protocol; of the rest half know it, as clusters do that are being upgraded. */
const supports: readonly TransactionSupport[] = ['2', '1', '2', '1, 2 known'];
/** In version 2 each transaction takes an epoch: so few of a producer id that it is changed within a seed. */
const [fewestEpochs, mostEpochs] = [4, 40];

export interface WorldOptions {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly faults: number;
  /** Milliseconds of virtual time in which faults begin. */
  readonly duration: number;
  /** Within how many ms after the last fault everything has to be done. */
  readonly recoverWithin: number;
  readonly onChunk?: (line: string, bytes: Buffer) => void;
  readonly onEvent?: (text: string) => void;
}

export interface Outcome {
  readonly violations: readonly string[];
  readonly faults: readonly PlannedFault[];
  readonly delivery: PipeSpec['delivery'];
  readonly transactions: TransactionSupport;
  readonly sent: number;
  /** Milliseconds from the end of the last fault until everything was committed. */
  readonly recovery: number;
  readonly processFailures: readonly string[];
}

/** A cluster, two processes that copy, a feed, and the faults of one seed. */
export class World {
  readonly #options: WorldOptions;
  readonly #cluster: Cluster;
  readonly #network: Network;
  readonly #traps: Traps;
  readonly #feed: Feed;
  readonly #delivery: PipeSpec['delivery'];
  readonly #transactions: TransactionSupport;
  readonly #publishing: Publishing;
  readonly #slots: readonly Slot[];
  readonly #excused = new Set<string>();
  readonly faults: readonly PlannedFault[];
  #lastFault = 0;
  #failed = 0;

  constructor(options: WorldOptions) {
    const stream = (name: number): Random => seededRandom(Math.imul(options.seed, 0x9e3779b1) + name);
    this.#options = options;
    this.#transactions = supports[options.seed % supports.length]!;
    const lastEpoch = fewestEpochs + stream(11).below(mostEpochs - fewestEpochs);
    const transactions =
      this.#transactions === '2' ? { transactions: this.#transactions, lastEpoch } : { transactions: this.#transactions };
    this.#cluster = new Cluster({ nodes, random: stream(1), verifies: stream(2).uniform() < 0.5, ...transactions });
    for (const topic of [...outputs, deadLetters]) this.#cluster.createTopic(topic, outputPartitions);
    for (const topic of [input, events]) this.#cluster.createTopic(topic, inputPartitions);
    this.#traps = new Traps({
      kill: (client) => this.#killClient(client),
      isMarked: (client) => client === publisher || this.#slots.some((slot) => slot.client === client),
      onSprung: ({ api, action }, client) => this.#say(`trap: ${action} of ${api} by ${client}`),
    });
    this.#network = new Network({
      cluster: this.#cluster,
      random: stream(3),
      fate: (client, _, api) => this.#traps.fate(client, api),
      isDamaged: (client, batch) => this.#traps.isDamaged(client, batch),
      ...(options.onChunk === undefined ? {} : { onChunk: options.onChunk }),
    });
    this.#feed = new Feed({
      cluster: this.#cluster,
      random: stream(4),
      topic: input,
      partitions: inputPartitions,
      batches: 40,
      within: options.duration,
    });
    this.#publishing = new Publishing({
      bus: this.#busOptions(publisher),
      random: stream(9),
      topic: events,
      batches: 20,
      within: options.duration,
    });
    const terrain = { nodes, slots, inputPartitions, places: [...this.#cluster.partitions.keys()] };
    this.faults = planFaults(stream(5), terrain, { count: options.faults, duration: options.duration });
    this.#delivery = stream(10).uniform() < atLeastOnceShare ? 'at-least-once' : 'exactly-once';
    this.#slots = Array.from({ length: slots }, (_, i) => this.#newSlot(`process-${i}`, stream(6 + i)));
  }

  async run(): Promise<Outcome> {
    for (const slot of this.#slots) slot.start();
    for (const fault of this.faults) setTimeout(() => this.#inflict(fault), fault.at);
    const { time, recoverWithin } = this.#options;
    const feeding = this.#feed.run();
    const publishing = this.#publishing.run().catch((thrown: unknown) => [`the publisher failed: ${String(thrown)}`]);
    this.#lastFault = Math.max(this.#options.duration, ...this.faults.map((fault) => fault.at + lastingOf(fault)));
    await feeding;
    while (!this.#isDone && time.now() < this.#lastFault + recoverWithin) await sleep(100);
    const recovery = Math.max(0, time.now() - this.#lastFault);
    const violations = [
      ...(this.#isDone ? [] : [`not done ${recoverWithin} ms after the last fault`]),
      ...judgeLogs({ ...this.#trial, excused: this.#excused, mayRepeat: this.#delivery === 'at-least-once' }),
      ...this.#publishing.judge(this.#cluster),
      ...((await publishing) ?? []),
    ];
    if (violations.length === 0) violations.push(...(await this.#readAgain()));
    violations.push(...this.#troubles());
    violations.push(...(await this.#close()));
    this.#cluster.close();
    const processFailures = this.#slots.flatMap(({ failures }) => failures);
    const conditions = { faults: this.faults, delivery: this.#delivery, transactions: this.#transactions };
    return { violations, ...conditions, sent: this.#feed.sent.length, recovery, processFailures };
  }

  get #trial() {
    return { cluster: this.#cluster, group, input, outputs, deadLetters, sent: this.#feed.sent };
  }

  /** Everything that was written is committed, and no transaction is open. */
  get #isDone(): boolean {
    if (
      !this.#feed.isOver ||
      !this.#publishing.isOver ||
      this.#cluster.transactions.open > 0 ||
      this.#options.time.now() < this.#options.duration
    )
      return false;
    return this.#cluster.partitionsOf(input).every((partition) => isCommitted(this.#trial, partition));
  }

  /** Our own read-committed reader must see what the logs hold, no more and no less. */
  async #readAgain(): Promise<string[]> {
    const bus = kafkaBus(this.#busOptions('reader'));
    const read = await bus.readAll(outputs);
    await bus.close();
    const held = outputs.flatMap((topic) => this.#cluster.partitionsOf(topic).flatMap(({ log }) => log.committed()));
    const sorted = (records: readonly { value: Buffer | null }[]) => records.map(({ value }) => String(value)).sort().join(); // prettier-ignore
    return sorted(read) === sorted(held) ? [] : [`a reader saw ${read.length} records where the logs hold ${held.length}`];
  }

  /** What nothing disturbs has no reason to fail: a client that brokers refuse would recover, and be slow. */
  #troubles(): string[] {
    if (this.faults.length > 0 || this.#failed === 0) return [];
    return [`${this.#failed} transactions failed, though nothing went wrong`];
  }

  async #close(): Promise<string[]> {
    this.#traps.clear();
    let isClosed = false;
    const closing = Promise.all(this.#slots.map((slot) => slot.close())).then(() => (isClosed = true));
    await Promise.race([closing, sleep(60_000)]);
    return isClosed ? [] : ['a process did not close within 60 s'];
  }

  #newSlot(name: string, random: Random): Slot {
    const spec: PipeSpec = {
      ...{ group, topics: [input], delivery: this.#delivery, maxSlice: 8, lingerMs: 5, deadLetters },
      processor: () => ({ process: (slice) => copy(slice, { outputs, random }) }),
    };
    return new Slot({ name, spec, busOptions: (client) => this.#busOptions(client) });
  }

  #busOptions(client: string): KafkaBusOptions {
    const onLog = (level: string) => (fields: { event?: string }, message: string) => {
      if (failures.has(fields.event ?? '')) this.#failed++;
      if (this.#options.onEvent) this.#say(`${client} ${level} ${message} ${JSON.stringify(fields)}`);
    };
    const logger: BusLogger = { debug: onLog('debug'), info: onLog('info'), warn: onLog('warn') };
    const brokers = this.#cluster.nodes.map(addressOf);
    return { brokers, clientId: 'sim', instance: client, logger, socketFactory: this.#network.socketFactory(client) as never };
  }

  #say(text: string): void {
    this.#options.onEvent?.(`${String(this.#options.time.now()).padStart(6)} ms  ${text}`);
  }

  #killClient(client: string): void {
    const slot = this.#slots.find((one) => one.client === client);
    if (slot === undefined) return;
    this.#network.kill(client);
    slot.killed(500);
  }

  #inflict(fault: PlannedFault): void {
    this.#say(`fault: ${JSON.stringify(fault)}`);
    if (fault.kind === 'trap') this.#traps.set(fault);
    else if (fault.kind === 'records expire') this.#expire(fault.partition, fault.beyond);
    else inflict(fault, { cluster: this.#cluster, network: this.#network, slots: this.#slots });
  }

  /** Retention up to the committed offset and a few records on or back; what nobody has read yet is excused. */
  #expire(partition: number, beyond: number): void {
    const place = placeOf(input, partition);
    const { log } = this.#cluster.partitions.get(place)!;
    log.expire((this.#cluster.offsetsOf(group).get(place) ?? 0) + beyond);
    for (const one of this.#feed.sent) if (one.partition === partition && one.offset < log.start) this.#excused.add(one.id);
  }
}

/** Events of a pipe whose transaction failed. */
const failures: ReadonlySet<string> = new Set(['poisoned', 'fenced']);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
