import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { FrameHeads, type FrameHead } from './frame-heads.ts';

/** What a link to a broker does. `silent` keeps connections open and swallows every byte: a half-open connection. */
export type LinkState = 'open' | 'silent' | 'cut';

export interface Exchange {
  /** Protocol number of the request: 0 Produce, 26 EndTxn, 28 TxnOffsetCommit. */
  readonly apiKey: number;
  readonly clientId: string | null;
  /** The request is about to reach the broker, or its answer about to reach the client. */
  readonly when: 'request' | 'response';
}

/** A TCP proxy in front of one broker that can be slow, silent or cut, and knows which request passes. */
export class KafkaProxy {
  readonly port: number;
  /** Added to each direction. */
  latencyMs = 0;
  /** Called before the bytes go on; what it does to the client's process happens first. `drop` ends the connection instead. */
  onExchange: ((exchange: Exchange) => 'drop' | undefined) | undefined;
  #state: LinkState = 'open';
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', (client) => this.#join(client));
  }

  /** Listens on a loopback port of its own for a broker on `target`. */
  static async open(target: number): Promise<KafkaProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new KafkaProxy(server, target);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** `cut` also ends the connections there are; `silent` leaves them to find out; a silent connection never speaks again. */
  set(state: LinkState): void {
    if (state !== 'silent') this.#endAll(this.#state === 'silent' || state === 'cut');
    this.#state = state;
  }

  async close(): Promise<void> {
    this.#endAll(true);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #endAll(wanted: boolean): void {
    if (wanted) for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    this.#own(client);
    if (this.#state === 'cut') return void client.destroy();
    const broker = createConnection({ host: '127.0.0.1', port: this.#target });
    this.#own(broker);
    const asked: FrameHead[] = [];
    const requests = new FrameHeads('request', (head) => {
      asked.push(head);
      if (this.onExchange?.({ ...head, when: 'request' }) === 'drop') client.destroy();
    });
    // A broker answers the requests of one connection in their order.
    const responses = new FrameHeads('response', () => {
      const head = asked.shift();
      if (head !== undefined && this.onExchange?.({ ...head, when: 'response' }) === 'drop') client.destroy();
    });
    this.#carry(client, broker, requests);
    this.#carry(broker, client, responses);
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #carry(from: Socket, to: Socket, heads: FrameHeads): void {
    let lastDue = 0;
    const pass = (bytes: Buffer): void => {
      if (this.#state !== 'open') return;
      heads.read(bytes);
      if (from.destroyed || to.destroyed) return void to.destroy();
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    from.on('data', (bytes) => {
      if (this.latencyMs === 0 && lastDue <= performance.now()) return pass(bytes);
      lastDue = Math.max(lastDue, performance.now() + this.latencyMs);
      setTimeout(() => pass(bytes), lastDue - performance.now());
    });
    from.on('close', () => to.destroy());
  }
}
