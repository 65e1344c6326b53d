import { randomBytes } from 'node:crypto';
import { type BrokerHandle, type BrokerOptions, openBroker, type Judgement, passJudgement } from '@sluice/broker';
import { type FlowTopics, topicsOf, topicSpecs } from '@sluice/contracts';
import type { Flow } from '@sluice/domain';
import { type Bus, type Headers, type InRecord, kafkaBus, memoryBus, type Publisher, type TopicSpec } from '@sluice/streaming';

/** Something `apps` started; closed in reverse order before the broker. */
export interface Closable {
  close(): Promise<void>;
}

/** What the apps of a suite get to know. */
export interface KitContext {
  /** Name of the flow in this kit: the one given and a random end, so that suites can share a broker. */
  readonly flow: string;
  readonly topics: FlowTopics;
  /** The flow document under its new name, when one was given. */
  readonly document: Flow | undefined;
  /** Models with a topic of their own: those of the document's tiers, or those named in the options. */
  readonly models: readonly string[];
  readonly broker: BrokerHandle;
}

export interface KitOptions {
  /** A flow document, or just a name. Left out: `kit`. */
  readonly flow?: Flow | string;
  /** Models to make topics for, when no document names them. */
  readonly models?: readonly string[];
  /** Partitions of each topic, when no document says; left out: 2. */
  readonly partitions?: number;
  /**
   * A rung of the ladder, an address, or a broker that is open already (it is not closed). Left out: KAFKA_BROKERS, else the
   * first rung that works.
   */
  readonly broker?: NonNullable<BrokerOptions['choice']> | { readonly brokers: string } | BrokerHandle;
  /** Starts what is under test; called when the topics exist. */
  readonly apps?: (bus: Bus, context: KitContext) => Promise<readonly Closable[]>;
  readonly onStep?: (text: string) => void;
}

/** A request to publish. */
export interface KitRequest {
  readonly value: Buffer | null;
  readonly key?: Buffer | string | null;
  readonly headers?: Headers;
  readonly partition?: number;
  readonly timestamp?: number;
}

export interface WaitOptions {
  /** Milliseconds; left out: 30,000. */
  readonly within?: number;
}

/** A running system under test. `await using kit = await startKit(…)` closes it at the end of the block. */
export interface Kit extends AsyncDisposable, KitContext {
  /** Bootstrap addresses; undefined when the kit runs in memory. */
  readonly brokers: string | undefined;
  readonly bus: Bus;
  publish(requests: readonly KitRequest[]): Promise<void>;
  /** Everything committed on `topic` once there are `count` records. @throws Error naming topic and count when they do not come. */
  records(topic: string, count: number, options?: WaitOptions): Promise<InRecord[]>;
  /** `records` of the predictions topic. */
  predictions(count: number, options?: WaitOptions): Promise<InRecord[]>;
  /** `records` of the dead-letter topic. */
  deadLetters(count: number, options?: WaitOptions): Promise<InRecord[]>;
  /** Counts what was lost, doubled, disordered or unexplained, with Kafka's own consumer where there is one. */
  judge(): Promise<Judgement>;
  close(): Promise<void>;
}

/**
 * Broker, topics, bus, producer and judge in one call.
 * @throws SluiceError SLUICE_BROKER_UNREACHABLE or SLUICE_BROKER_FAILED; whatever `apps` throws, after all is closed again.
 */
export async function startKit(options: KitOptions = {}): Promise<Kit> {
  const { broker, own } = await takeBroker(options);
  const context = contextOf(options, broker);
  const bus =
    broker.brokers === undefined ? memoryBus({ live: true }) : kafkaBus({ brokers: broker.brokers.split(','), clientId: 'testkit' });
  const kit = new RunningKit({ bus, context, own });
  try {
    await bus.ensureTopics(topicsToMake(options, context));
    kit.started((await options.apps?.(bus, context)) ?? []);
    return kit;
  } catch (error) {
    await kit.close();
    throw error;
  }
}

async function takeBroker({ broker: wish, onStep }: KitOptions): Promise<{ broker: BrokerHandle; own: boolean }> {
  if (typeof wish === 'object' && 'kind' in wish) return { broker: wish, own: false };
  const choice = typeof wish === 'string' ? { choice: wish } : (wish ?? {});
  return { broker: await openBroker({ ...choice, ...(onStep === undefined ? {} : { onStep }) }), own: true };
}

function contextOf({ flow = 'kit', models = [] }: KitOptions, broker: BrokerHandle): KitContext {
  const name = typeof flow === 'string' ? flow : flow.flow;
  // A segment has at most 48 characters.
  const unique = `${name.slice(0, 40)}-${randomBytes(3).toString('hex')}`;
  const document = typeof flow === 'string' ? undefined : { ...flow, flow: unique };
  const named = document === undefined ? models : document.tiers.map(({ model }) => model);
  return { flow: unique, topics: topicsOf(unique), document, models: named, broker };
}

function topicsToMake({ partitions = 2 }: KitOptions, { document, models, topics }: KitContext): readonly TopicSpec[] {
  if (document !== undefined) return topicSpecs(document);
  const names = [topics.requests, ...models.map(topics.model), topics.predictions, topics.shadow, topics.outcomes, topics.deadLetters];
  return names.map((name) => ({ name, partitions }));
}

class RunningKit implements Kit {
  readonly flow: string;
  readonly topics: FlowTopics;
  readonly document: Flow | undefined;
  readonly models: readonly string[];
  readonly broker: BrokerHandle;
  readonly brokers: string | undefined;
  readonly bus: Bus;
  readonly #own: boolean;
  #publisher: Promise<Publisher> | undefined;
  #apps: readonly Closable[] = [];
  #closing: Promise<void> | undefined;

  constructor({ bus, context, own }: { bus: Bus; context: KitContext; own: boolean }) {
    this.bus = bus;
    this.flow = context.flow;
    this.topics = context.topics;
    this.document = context.document;
    this.models = context.models;
    this.broker = context.broker;
    this.brokers = context.broker.brokers;
    this.#own = own;
  }

  started(apps: readonly Closable[]): void {
    this.#apps = apps;
  }

  async publish(requests: readonly KitRequest[]): Promise<void> {
    this.#publisher ??= this.bus.openPublisher();
    const publisher = await this.#publisher;
    const bytes = (key: KitRequest['key']): Buffer | null => (typeof key === 'string' ? Buffer.from(key) : (key ?? null));
    await publisher.publish(requests.map((request) => ({ ...request, topic: this.topics.requests, key: bytes(request.key) })));
  }

  async records(topic: string, count: number, { within = 30_000 }: WaitOptions = {}): Promise<InRecord[]> {
    const until = performance.now() + within;
    for (;;) {
      const records = await this.bus.readAll([topic]);
      if (records.length >= count) return records;
      if (performance.now() > until) throw new Error(`${topic} has ${records.length} of ${count} records after ${within} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  predictions(count: number, options?: WaitOptions): Promise<InRecord[]> {
    return this.records(this.topics.predictions, count, options);
  }

  deadLetters(count: number, options?: WaitOptions): Promise<InRecord[]> {
    return this.records(this.topics.deadLetters, count, options);
  }

  judge(): Promise<Judgement> {
    return passJudgement(this);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    try {
      for (const app of [...this.#apps].reverse()) await app.close();
    } finally {
      await this.bus.close().finally(() => (this.#own ? this.broker.close() : undefined));
    }
  }
}
