import type { Bus, InRecord, Pipe, PipeSpec, Publisher, Reader, ReaderSpec, Table, TableSpec, TopicSpec } from '../port.ts';
import { ClusterAdmin } from './admin.ts';
import { AtomicPublisher } from './atomic-publisher.ts';
import { assertPatched } from './assert-patched.ts';
import { Clients, type KafkaBusOptions } from './client.ts';
import { KafkaPipe } from './pipe.ts';
import { KafkaPublisher } from './publisher.ts';
import { openReader, openTable, readAll } from './views.ts';

/**
 * A bus on a Kafka cluster (2.5 or later). Connects on first use.
 * @throws SluiceError SLUICE_CLIENT_UNPATCHED. Its methods throw SLUICE_BROKER_UNREACHABLE when nobody answers within 10 s.
 */
export function kafkaBus(options: KafkaBusOptions): Bus {
  assertPatched();
  return new KafkaBus(options);
}

class KafkaBus implements Bus {
  readonly kind = 'kafka';
  readonly #clients: Clients;
  readonly #admin: ClusterAdmin;
  /** What is open or on its way: `close` waits for the latter, so that nothing half-opened outlives the bus. */
  readonly #open = new Set<Promise<{ close(): Promise<void> }>>();

  constructor(options: KafkaBusOptions) {
    this.#clients = new Clients(options);
    this.#admin = new ClusterAdmin(this.#clients);
  }

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.#admin.ensureTopics(specs);
  }

  openPipe(spec: PipeSpec): Promise<Pipe> {
    return this.#keep(() => KafkaPipe.open(this.#clients, this.#admin, spec));
  }

  openTable<V>(spec: TableSpec<V>): Promise<Table<V>> {
    return this.#keep(() => openTable(this.#context, spec));
  }

  openPublisher(transactionalId?: string): Promise<Publisher> {
    if (transactionalId !== undefined) return this.#keep(() => new AtomicPublisher(this.#clients, this.#admin, transactionalId).open());
    return this.#keep(() => new KafkaPublisher(this.#clients, this.#admin).open());
  }

  openReader(spec: ReaderSpec): Promise<Reader> {
    return this.#keep(() => openReader(this.#context, spec));
  }

  async readAll(topics: readonly string[]): Promise<InRecord[]> {
    await this.#admin.reach();
    return readAll(this.#context, topics);
  }

  lag(group: string, topics: readonly string[]): Promise<number> {
    return this.#admin.lag(group, topics);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map(async (opening) => (await opening).close()));
    this.#open.clear();
    await this.#admin.close();
  }

  get #context() {
    return { clients: this.#clients, admin: this.#admin };
  }

  #keep<T extends { close(): Promise<void> }>(open: () => Promise<T>): Promise<T> {
    const opening = this.#admin.reach().then(open);
    this.#open.add(opening);
    opening.catch(() => this.#open.delete(opening));
    return opening;
  }
}
