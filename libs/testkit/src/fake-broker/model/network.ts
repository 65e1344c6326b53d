import type { Random } from '@sluice/learning/simulation';
import type { ApiName } from '../protocol/apis.ts';
import type { Cluster } from './cluster.ts';
import { Connection, type FakeSocket } from './connection.ts';

/** What befalls one request on its way. */
export interface Fate {
  readonly lost?: 'request' | 'answer';
  /** How long the client does not learn of the loss, on a half-open connection that carries nothing any more. Milliseconds; left out: a reset tells at once. */
  readonly silence?: number;
  /** How long the request is stuck before the broker sees it, while everything else goes on. Milliseconds. */
  readonly delay?: number;
}

export interface NetworkOptions {
  readonly cluster: Cluster;
  readonly random: Random;
  /** Asked for each request that reaches a broker. */
  readonly fate: (client: string, node: number, api: ApiName) => Fate;
  /** Asked for each answer that carries records: whether a bit of the first batch, named by place and offset, is flipped on the way. */
  readonly isDamaged: (client: string, batch: string) => boolean;
  /** Told of every chunk that arrives, for a record of the run. */
  readonly onChunk?: (line: string, bytes: Buffer) => void;
}

/** The part of net.Socket that the client uses. */
export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

/** Connections between clients and nodes: ordered per connection like TCP, with delays and faults from the seed. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #open = new Set<Connection>();
  /** Clients that are dead: nothing leaves them and nothing reaches them. */
  readonly #dead = new Set<string>();
  /** Until when nothing arrives between a client and a node, either way; it arrives afterwards, as retransmission makes it. */
  readonly #heldUntil = new Map<string, number>();
  /** Factor on the time that a node takes. */
  readonly slowness = new Map<number, number>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** What a client of this name hands to kafkajs. */
  socketFactory(client: string): (request: SocketRequest) => FakeSocket {
    return ({ host, onConnect }) => {
      const connection = new Connection({ ...this.#options, network: this, client, node: Number(host.replace(/^.*-/, '')) });
      this.#open.add(connection);
      connection.open(onConnect);
      return connection.socket;
    };
  }

  isDead(client: string): boolean {
    return this.#dead.has(client);
  }

  hold(client: string, node: number, until: number): void {
    const pair = `${client}>${node}`;
    this.#heldUntil.set(pair, Math.max(until, this.#heldUntil.get(pair) ?? 0));
  }

  /** When a chunk that leaves now arrives. */
  arrival(client: string, node: number): number {
    const { random } = this.#options;
    const quick = Date.now() + Math.floor(random.uniform() ** 4 * 12);
    return Math.max(quick, this.#heldUntil.get(`${client}>${node}`) ?? 0);
  }

  /** The process is gone in this moment; what it sent before is still on its way. */
  kill(client: string): void {
    this.#dead.add(client);
    for (const connection of this.#open) if (connection.client === client) connection.abandon();
  }

  reset(matches: (connection: { client: string; node: number }) => boolean): void {
    for (const connection of [...this.#open]) if (matches(connection)) connection.reset();
  }

  forget(connection: Connection): void {
    this.#open.delete(connection);
  }
}
